// One request as the rest of net/ sees it: what was asked for and the headers that matter, out of Beast's fields.
#pragma once

#include "actors/protocol/values/objects.hpp"
#include "actors/protocol/values/transfers.hpp"
#include "base/metrics.hpp"
#include "net/s3/auth/sigv4.hpp"
#include "net/s3/body/body_checksums.hpp"
#include "net/s3/operation.hpp"
#include "net/s3/operations/conditions.hpp"
#include "net/s3/operations/target.hpp"
#include "net/s3/response.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <boost/beast/http/fields.hpp>

#include <optional>
#include <string>
#include <variant>

namespace cairn::net {

// Who signed a request. The key goes on to sign the chunks of its body.
struct request_signer {
  signature_claim claim;
  storage::sha256_digest signing_key{};
};

// Where in an object lies a part of its upload; the object's version is the one that was looked at.
struct part_extent {
  storage::log_index version = 0;
  std::uint32_t ordinal = 0;
  std::optional<actors::byte_range> bytes; // nothing: it has no part of this number
  std::string checksum{};                  // its own, base64; empty: none was kept
};

struct request {
  const s3_operation* operation = &no_operation;
  s3_target target;
  condition_headers conditions;
  std::optional<std::string> range;
  answer_basics basics;
  std::optional<part_extent> part;                              // of ?partNumber, when the object was uploaded in parts
  bool wants_checksum = false;                                  // x-amz-checksum-mode: ENABLED
  bool head_only = false;                                       // HEAD: the answer has no body
  std::optional<request_signer> signer;                         // nothing: anonymous
  std::optional<signature_claim> claim;                         // not checked yet: the access key is being looked up
  std::shared_ptr<const storage::metadata::access_key_row> key; // of the signer; null: the root key, or anonymous
  std::shared_ptr<const storage::metadata::bucket_row> bucket;  // as it was when the request was let in; may be null
  std::optional<storage::metadata::version_id> version;         // ?versionId
  std::string origin;                                           // of a page that a browser asks for
  std::vector<std::string> query_headers; // lower-case names of those that a presigned URL's query added to the head
  bool cross_site = false;                // not signed, and sent for a page of another origin
  storage::metadata::authority by;        // what let it in; goes with its commands
  storage::log_index seen = 0;            // in a cluster: by the state at this index, or a newer one
  std::uint8_t rights = 0;                // of its sender on the bucket, whatever let it in
  bool may_list = false;                  // its sender may know what is not there
  bool public_only = false;               // anonymous: only objects that are public by themselves
  std::vector<std::pair<std::string, std::string>> overrides; // response-content-type → "content-type"; checked

  std::string resource() const; // "/bucket/key", for error documents
  // Whether its sender has all these rights, and not only those of anybody.
  bool may(std::uint8_t more) const;
  storage::metadata::judgement judged() const { return {by.bucket, seen}; }
  // Of a command that needs these rights besides.
  storage::metadata::authority authority(std::uint8_t more) const;
};

// Conditions, Range and x-amz-checksum-mode. Repeated lists are joined, a repeated Range counts as none.
void read_conditions(const boost::beast::http::fields& fields, request& into);

// What PUT /bucket/key asks for.
struct put_order {
  actors::put_request put;
  std::optional<storage::metadata::md5_digest> content_md5;
  std::shared_ptr<checksum_check> checksum; // put.check, when a checksum is announced
};
std::variant<put_order, s3_error> read_put(const boost::beast::http::fields& fields, const request& request,
                                           std::optional<std::uint64_t> content_length, std::uint64_t object_size_max);

// ?versionId → request.version. InvalidArgument: it is none, or the operation takes none.
std::optional<s3_error> read_version(request& into);
// "x-amz-version-id: …\r\n", and that it is a delete marker; empty: there is nothing to tell.
std::string version_lines(const storage::metadata::version_outcome& told);
// "x-amz-expiration: …\r\n"; empty: no rule makes the object go.
std::string expiry_line(const std::optional<actors::expiry>& expires);

constexpr std::size_t user_metadata_bytes_max = 2048; // names without the prefix, and values

} // namespace cairn::net
