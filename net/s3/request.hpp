// One parsed S3 request: its target and the relevant headers, from Beast's fields.
#pragma once

#include "actors/protocol/values/objects.hpp"
#include "actors/protocol/values/transfers.hpp"
#include "base/metrics.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/s3/auth/sigv4.hpp"
#include "net/s3/body/body_checksums.hpp"
#include "net/s3/form/post_form.hpp"
#include "net/s3/operation.hpp"
#include "net/s3/operations/conditions.hpp"
#include "net/s3/operations/target.hpp"
#include "net/s3/response.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <optional>
#include <string>
#include <variant>

namespace cairn::net {

// The signer of a request. The signing key also verifies the chunks of the body.
struct request_signer {
  signature_claim claim;
  sha256_digest signing_key{};
};

// The extent of a part within its object, in the version that was looked up.
struct part_extent {
  log_index version = 0;
  std::uint32_t ordinal = 0;
  std::optional<actors::byte_range> bytes; // nullopt: the object has no part with this number
  std::string checksum{};                  // of the part, base64; empty: none was kept
};

struct request {
  const s3_operation* operation = &no_operation;
  const operation_route* route = nullptr;
  s3_target target;
  condition_headers conditions;
  std::optional<std::string> range;
  answer_basics basics;
  std::optional<part_extent> part;       // of ?partNumber, if the object was uploaded in parts
  bool wants_checksum = false;           // x-amz-checksum-mode: ENABLED
  bool head_only = false;                // HEAD: the answer has no body
  std::optional<request_signer> signer;  // nullopt: anonymous
  std::optional<signature_claim> claim;  // not checked yet: the key is being looked up
  std::string claimed_key;               // the access key that the request names, checked or not; empty: none
  std::string token;                     // of temporary credentials, decoded; empty: none
  std::shared_ptr<const post_form> form; // of an operation that takes a form, once its fields were read
  post_policy policy;                    // of a signed form
  std::shared_ptr<const storage::metadata::access_key_row> key; // of the signer; null: the root key, or anonymous
  std::shared_ptr<const storage::metadata::bucket_row> bucket;  // as of the authorization; may be null
  std::optional<storage::metadata::version_id> version;         // ?versionId
  bool learns_of_source = true;           // of a copy: whether the sender may learn that the source does not exist
  std::string origin;                     // of the page for which a browser sends it
  std::vector<std::string> query_headers; // lower-case names of the headers that a presigned URL's query added
  std::string address;                    // of the client's socket
  bool encrypted = false;                 // it came by TLS
  bool cross_site = false;                // not signed, and sent for a page of another origin
  bool waits_for_object = false;          // whether it is allowed depends on the object's row
  storage::metadata::authority by;        // the basis of its authorization; part of its commands
  storage::policy::action iam{};          // of IAM's API: the action, and what it is about
  std::string iam_subject{};
  std::string web_identity{};           // "PROVIDER:SUBJECT" of a valid token, with which a role is assumed
  std::optional<std::size_t> statement; // of the bucket's policy: the one that allowed or denied it, if it is known
  log_index seen = 0;                   // in a cluster: the applied index of the authorization, or a newer one
  std::vector<std::pair<std::string, std::string>> overrides; // response-content-type → "content-type"; checked

  std::string resource() const; // "/bucket/key", for error documents
  // Whether the sender may also do this with the object, as far as the head tells; the command is judged again.
  bool may(storage::policy::action more) const;
  storage::metadata::judgement judged() const { return {by.bucket, seen}; }
  // The authority of a command that also needs these rights, for members below feature level 9.
  storage::metadata::authority authority(std::uint8_t more) const;
};

// Reads conditions, Range and x-amz-checksum-mode. Repeated lists are joined, a repeated Range is ignored.
void read_conditions(const boost::beast::http::fields& fields, request& into);

// The parsed PUT /bucket/key.
struct put_order {
  actors::put_request put;
  std::optional<storage::metadata::md5_digest> content_md5;
  std::shared_ptr<checksum_check> checksum; // put.check, if a checksum is announced
};
std::variant<put_order, s3_error> read_put(const boost::beast::http::fields& fields, const request& request,
                                           std::optional<std::uint64_t> content_length, std::uint64_t object_size_max);

constexpr std::string_view bypass_header = "x-amz-bypass-governance-retention";
// Whether it is "true".
bool bypasses_governance(const boost::beast::http::fields& fields);

// ?versionId → request.version. InvalidArgument: not a version id, or the operation takes none.
std::optional<s3_error> read_version(request& into);
// "x-amz-version-id: …\r\n", and the line for a delete marker; empty: neither applies.
std::string version_lines(const storage::metadata::version_outcome& outcome);
// "x-amz-expiration: …\r\n"; empty: no rule expires the object.
std::string expiry_line(const std::optional<storage::metadata::expiry>& expires);
// "x-amz-abort-date: …\r\nx-amz-abort-rule-id: …\r\n"; empty: no rule aborts an upload that began at that time.
std::string abort_lines(const storage::metadata::bucket_row& bucket, std::string_view key, wall_ms begun);

constexpr std::size_t user_metadata_bytes_max = 2048; // names without the prefix, and values

} // namespace cairn::net
