// A row of the table of S3 operations: the requests of an operation, the rights that it needs, the headers that it
// reads, its handler. All rows are in net/gateway/routes/operation_table.cpp. To add one: row, handler, test,
// docs/s3.md; for a new action also storage/policy/vocabulary.hpp.
#pragma once

#include "storage/policy/vocabulary.hpp"

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
  std::string_view query{}; // the sub-resource that selects the operation: "acl"
  // What a bucket's policy is asked: the action, the one of a request that names a version, and a second one.
  storage::policy::action act = storage::policy::action::none, of_version = storage::policy::action::none,
                          also = storage::policy::action::none;
  bool copies = false;       // when x-amz-copy-source names a source
  std::string_view header{}; // an x-amz-… header that is read with this request only; x-amz-acl: also x-amz-grant-…
};

// The right on the request's bucket. A copy also needs `read` on its source's bucket.
enum class need : std::uint8_t { nothing, read, write, owner, create_bucket };

// Which setting of a public bucket allows the operation without rights. READ is what S3's ACL of that name grants:
// s3:ListBucket, s3:ListBucketVersions and s3:ListBucketMultipartUploads, and the objects when they are public too.
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
  bool renames = false;          // that object is in the same bucket (x-amz-rename-source), and goes
  bool judges_entries = false;   // its body names objects, each authorized by itself
  bool takes_body = false;       // checksum headers refer to its body
  bool takes_form = false;       // its body is a form, whose fields say who sends it (net/s3/form/post_form.hpp)
  bool takes_version = false;    // ?versionId
  bool sets_attributes = false;  // of a new object: access control list, metadata, storage class, tags
  bool takes_conditions = false; // of a write: If-Match and similar headers
  bool makes_checksum = false;   // of the object's body, if none came with it
  bool query_api = false;        // IAM's: its body says what is asked, and is signed; it answers as IAM does
  bool preflight = false;        // CORS: describes another request, whose headers and query it has
  // x-amz-… headers that few operations read (net/s3/header_rules.cpp has the common ones).
  std::initializer_list<std::string_view> headers{};
  void (*serve)(const std::shared_ptr<s3_session>&) = nullptr; // the handler, on the session's strand
};

// The operation of a request that has none, or is not routed yet.
inline constexpr s3_operation no_operation{.name = "unknown"};

} // namespace cairn::net
