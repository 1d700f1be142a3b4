// The modification time of a file as metadata of its object: x-amz-meta-mtime, in seconds since 1970 with a fraction,
// the form of rclone ("1700000000.123456789"); s3fs writes whole seconds. Pure.
#pragma once

#include "cli/client/http_client.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::cli {

using time_ns = std::int64_t; // since 1970-01-01 00:00 UTC

constexpr std::string_view mtime_header = "x-amz-meta-mtime";

struct object_time {
  time_ns at = 0;
  bool whole_seconds = false; // written without a fraction, which is then unknown

  bool same_as(time_ns file) const;
};

std::string mtime_text(time_ns at); // always nine digits of fraction
std::optional<object_time> parse_mtime(std::string_view text);
// "2024-02-29T12:00:00.250Z", as listings have it.
std::optional<time_ns> parse_listed_time(std::string_view text);
// What an answer to GET or HEAD says: its x-amz-meta-mtime, else its Last-Modified. nullopt: neither can be read.
std::optional<object_time> time_of(const http_response& response);

} // namespace cairn::cli
