// Conditional requests (RFC 9110 §13). Pure. The order of evaluation is that of §13.2.2.
#pragma once

#include "storage/metadata/commands/commands.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::net {

struct condition_headers {
  std::optional<std::string> if_match, if_none_match, if_modified_since, if_unmodified_since, if_range;
};

// The values of the stored object that conditions are compared with.
struct validators {
  std::string etag;          // without quotes, strong
  std::int64_t modified = 0; // seconds
};

enum class verdict : std::uint8_t { proceed, not_modified, precondition_failed };

// For GET and HEAD of an object that exists. Dates that do not parse are ignored.
verdict evaluate(const condition_headers& headers, const validators& current);

// Whether a Range header applies: there is no If-Range, or it names exactly this state (strong ETag, or the same date).
bool range_applies(const condition_headers& headers, const validators& current);

// For PUT and DELETE. Conditions that the metadata cannot check atomically are `unsupported`, never dropped.
result<storage::metadata::write_condition> write_condition_of(const condition_headers& headers);

// The conditions of a DELETE, in headers or in an entry of DeleteObjects.
struct removal_texts {
  std::optional<std::string> etag, modified, size; // as in If-Match; an HTTP date; bytes
};
// nullopt: no condition. unsupported: several entity tags; invalid_argument: not a date or not a number.
result<std::optional<storage::metadata::removal_condition>> removal_condition_of(const removal_texts& texts);

} // namespace cairn::net
