// Versions of objects in S3's documents: ListObjectVersions, PutBucketVersioning. Pure.
#pragma once

#include "net/s3/operations/target.hpp"
#include "net/s3/xml/s3_errors.hpp"
#include "storage/metadata/read/view.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace cairn::net {

constexpr std::size_t versioning_body_bytes_max = 16 << 10;

struct versions_request {
  storage::metadata::versions_query query;
  std::string version_marker; // as the request gives it
  bool encode_url = false;
};
std::variant<versions_request, s3_error> read_versions_request(const s3_target& target, std::uint32_t keys_max);
std::string versions_document(const versions_request& request, const storage::metadata::versions_page& page);

// Answers the value of bucket_row::versioning. MalformedXML; NotImplemented: MFA delete.
std::variant<std::uint8_t, s3_error> read_versioning_document(std::string_view body);
std::string versioning_document(std::uint8_t versioning);

} // namespace cairn::net
