// The source of a copy or a rename: the headers x-amz-copy-source and x-amz-rename-source. Pure.
#pragma once

#include "actors/protocol/values/transfers.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/s3/operations/conditions.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <optional>
#include <variant>

namespace cairn::net {

struct copy_source {
  std::string bucket, key;
  std::optional<storage::metadata::version_id> version; // ?versionId
  condition_headers conditions;                         // x-amz-copy-source-if-…, x-amz-rename-source-if-…
  std::optional<std::string> range;                     // x-amz-copy-source-range
};

// Whether a copy gets the tags of the request, and not those of its source (x-amz-tagging-directive: REPLACE).
bool replaces_tags(const boost::beast::http::fields& fields);
bool asks_to_copy(const boost::beast::http::fields& fields);
// InvalidArgument, InvalidBucketName; NotImplemented for encryption.
std::variant<copy_source, s3_error> read_copy_source(const boost::beast::http::fields& fields);
// The source of an operation that renames within the bucket: its key, percent-encoded, as the SDKs send it, or
// "/bucket/key". InvalidArgument.
std::variant<copy_source, s3_error> read_rename_source(const boost::beast::http::fields& fields,
                                                       std::string_view bucket);
// Of an operation that renames, or else copies.
std::variant<copy_source, s3_error> read_source(const boost::beast::http::fields& fields, bool renames,
                                                std::string_view bucket);

// PreconditionFailed: the source does not meet the conditions.
std::optional<s3_error> refused_source(const copy_source& source, const storage::metadata::object_row& row);

// The range "bytes=0-9", which must be within the source; the whole source if there is no range. InvalidArgument,
// InvalidRange.
std::variant<actors::byte_range, s3_error> copied_range(const copy_source& source, std::uint64_t size);

} // namespace cairn::net
