// DeleteObjects: the request's document and the answer. Pure.
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
constexpr std::size_t delete_body_bytes_max = 2 << 20; // delete_keys_max keys of maximum length, with elements

struct delete_entry {
  std::string key;
  std::optional<storage::metadata::version_id> version; // as requested
  std::string bad_version;                              // the text that is no version id
  storage::metadata::version_outcome outcome;           // the outcome of the delete
  std::optional<storage::metadata::removal_condition> only_if;
  std::optional<s3_error> failed; // the refusal by the parser, or the delete's failure
};
struct delete_request {
  bool quiet = false; // the answer lists failures only
  std::vector<delete_entry> entries;
};

// MalformedXML refuses the whole request; an invalid key is the failure of its entry.
std::variant<delete_request, s3_error> read_delete_request(std::string_view body);

std::string delete_result_xml(const delete_request& done);

} // namespace cairn::net
