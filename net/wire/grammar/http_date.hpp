// HTTP dates (RFC 9110 §5.6.7) and S3's ISO 8601 times. Pure; seconds or milliseconds since 1970-01-01 UTC.
#pragma once

#include "base/seams.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::net {

// "Sun, 06 Nov 1994 08:49:37 GMT". A last-modified time is cut to whole seconds, also before 1970.
std::int64_t whole_seconds(wall_ms time);
void append_http_date(std::string& out, std::int64_t seconds);
// "1994-11-06T08:49:37.000Z"
void append_iso_time(std::string& out, wall_ms time);
// "06/Nov/1994:08:49:37 +0000", as in the access logs of web servers
void append_log_time(std::string& out, std::int64_t seconds);
// The ISO time, also without a fraction of the second or with another number of its digits.
std::optional<wall_ms> parse_iso_time(std::string_view text);

// The three forms that recipients must accept: IMF-fixdate, RFC 850 and asctime. Two-digit years: 70–99 are 19xx.
std::optional<std::int64_t> parse_http_date(std::string_view text);

} // namespace cairn::net
