// DeleteObjects: its document, and the answer to it. Pure.
#pragma once

#include "net/s3/xml/s3_errors.hpp"
#include "storage/metadata/commands/commands.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn::net {

constexpr std::size_t delete_keys_max = 1000;
constexpr std::size_t delete_body_bytes_max = 2 << 20; // that many of the longest keys, and their elements

struct delete_entry {
  std::string key;
  std::optional<storage::metadata::version_id> version; // as it was asked for
  storage::metadata::version_outcome told;              // what came of it
  std::optional<storage::metadata::removal_condition> only_if;
  std::optional<s3_error> failed; // refused at sight, or what came of it
};
struct delete_request {
  bool quiet = false; // only what failed is answered
  std::vector<delete_entry> entries;
};

// MalformedXML as a whole; what is wrong with one key is its entry's failure.
std::variant<delete_request, s3_error> read_delete_request(std::string_view body);

std::string delete_result_xml(const delete_request& done);

} // namespace cairn::net
