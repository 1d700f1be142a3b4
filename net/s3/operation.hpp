// An operation of S3: which requests ask for it, what they need to be allowed, what they may say. The rows are in
// net/gateway/routes/operation_table.cpp, which is all that knows the operations one by one: to add one, write its row
// there, its handler, its test, and docs/s3.md.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>

namespace cairn::net {

class s3_session;

enum class resource : std::uint8_t { any, node, bucket, object };

struct operation_route {
  std::string_view method;
  resource of = resource::any;
  std::string_view query{}; // the sub-resource that makes it another operation: "acl"
  bool copies = false;      // when x-amz-copy-source names a source
};

// Of the request's own bucket. A copy needs `read` of its source's bucket besides.
enum class need : std::uint8_t { nothing, read, write, owner, create_bucket };

// What of a public bucket lets anybody do it. READ for everybody is what S3's ACL of that name grants: s3:ListBucket,
// s3:ListBucketVersions and s3:ListBucketMultipartUploads, and the objects when they are public too.
enum class publicity : std::uint8_t {
  none,
  listing, // the bucket may be listed
  objects, // its objects may be read, or the one that is asked for
  writing, // the bucket may be written
};

struct s3_operation {
  std::string_view name; // in metrics
  std::initializer_list<operation_route> routes{};
  need needs = need::nothing;
  publicity public_by = publicity::none;
  bool changes_data = false;
  bool copies = false;           // reads another object
  bool takes_body = false;       // which checksum headers speak of
  bool takes_version = false;    // ?versionId
  bool takes_conditions = false; // of a write: If-Match and its kin
  bool makes_checksum = false;   // x-amz-checksum-algorithm without a value: the node computes it
  bool preflight = false;        // a browser asks what it may: headers and query are not the request's own
  // x-amz-… that it reads and few others do (net/s3/header_rules.cpp has those of many).
  std::initializer_list<std::string_view> headers{};
  void (*serve)(const std::shared_ptr<s3_session>&) = nullptr; // the handler, on the session's strand
};

// Of a request that no operation serves, or none yet.
inline constexpr s3_operation no_operation{.name = "unknown"};

} // namespace cairn::net
