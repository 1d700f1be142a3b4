// AWS Signature Version 4 as S3 uses it: in the Authorization header and in presigned URLs ("Signature Calculations for
// the Authorization Header", "Authenticating Requests: Using Query Parameters", S3 API reference). Pure decisions: the
// caller passes the time and the secret. Thread-safe where a comment says so. Errors are S3's codes.
//
// A request is checked in four steps, so that the caller can find the secret in between:
//   read_signature  what the request says about its signature       malformed: 400
//   check_claim     scope and time                                  wrong region: 400; too old, too new, expired: 403
//   (the caller finds the secret of claim.access_key)               none: 403 InvalidAccessKeyId
//   check_signature the signature itself, in constant time          403 SignatureDoesNotMatch
//
//   canonical request   METHOD \n path as sent \n query, decoded, encoded again, sorted \n
//                       (name:value \n)… \n names \n payload
//   string to sign      AWS4-HMAC-SHA256 \n 20130524T000000Z \n 20130524/us-east-1/s3/aws4_request \n
//                       hex(sha256(canonical request))
#pragma once

#include "base/digest.hpp"
#include "base/seams.hpp"
#include "net/s3/xml/s3_errors.hpp"
#include "net/wire/grammar/uri.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn::net {

constexpr wall_ms clock_skew_max_ms = 15 * 60 * 1000;
constexpr std::uint64_t presigned_seconds_max = 7 * 24 * 3600;

struct header_view {
  std::string_view name, value; // any case; trimmed
};

// The request as it was sent. The views must stay valid during the check.
struct signed_request {
  std::string_view method;
  std::string_view path;                                     // still encoded, from its first '/' on
  std::span<const query_parameter> query;                    // decoded
  std::span<const header_view> headers;                      // all of them
  const std::string* parameter(std::string_view name) const; // null: not given; the first one wins
  std::string header(std::string_view name) const;           // repeated ones joined by ','; empty: not given
};

// What the signature covers of the body.
enum class payload_kind : std::uint8_t {
  unsigned_whole,          // UNSIGNED-PAYLOAD
  hashed,                  // the SHA-256 of the body
  signed_chunks,           // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  signed_chunks_trailer,   // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
  unsigned_chunks_trailer, // STREAMING-UNSIGNED-PAYLOAD-TRAILER
};

struct signature_claim {
  std::string access_key;
  std::string date, region; // of the scope: "20130524", "us-east-1"
  std::string service = "s3";
  std::string timestamp; // "20130524T000000Z"
  wall_ms signed_at = 0;
  std::string signed_headers; // "host;x-amz-date", as sent
  std::string signature;      // as sent
  std::string payload;        // the last line of the canonical request
  payload_kind kind = payload_kind::unsigned_whole;
  sha256_digest payload_hash{}; // hashed
  bool presigned = false;
  std::uint64_t expires_seconds = 0; // presigned
  bool version_2 = false;            // net/s3/auth/sigv2.hpp; signed_at, presigned: until when
  std::string token;                 // of temporary credentials, as sent; empty: none
  bool of_form = false;              // a POST form's: its policy is what is signed, and says until when

  std::string scope() const; // "20130524/us-east-1/s3/aws4_request"
};

// Whether the request has credentials in any of S3's forms; otherwise it is anonymous.
bool carries_credentials(const signed_request& request);

std::variant<signature_claim, s3_error> read_signature(const signed_request& request);
std::optional<s3_error> check_claim(const signature_claim& claim, std::string_view region, wall_ms now);
std::optional<s3_error> check_signature(const signature_claim& claim, const signed_request& request,
                                        const sha256_digest& signing_key);

// The fields of a POST form that are about its signature ("Authenticating Requests: Browser-Based Uploads Using POST").
// Its string to sign is the policy as it was sent, in base64.
struct policy_signature {
  std::string_view algorithm, credential, date, signature, token{};
};
std::variant<signature_claim, s3_error> read_policy_signature(const policy_signature& sent);
std::optional<s3_error> check_policy_signature(const signature_claim& claim, std::string_view policy,
                                               const sha256_digest& signing_key);

// Of a request to another service than S3, "iam": its signature, in the Authorization header, covers the hash of the
// body whether or not a header names it. XAmzContentSHA256Mismatch: the header names another one.
std::variant<signature_claim, s3_error> read_service_signature(const signed_request& request, std::string_view service,
                                                               std::string_view body);

// Parses "x-amz-content-sha256"; InvalidArgument for an invalid value.
std::variant<payload_kind, s3_error> read_payload_kind(std::string_view text, sha256_digest& hash);

s3_error invalid_token(); // 400
s3_error expired_token(); // 400

// SignatureDoesNotMatch. `text`: the string to sign.
s3_error signature_mismatch(const signature_claim& claim, std::string text);

sha256_digest derive_signing_key(std::string_view secret, std::string_view date, std::string_view region,
                                 std::string_view service = "s3");

// The client's side: the headers that sign a request: x-amz-date, x-amz-content-sha256 and Authorization. Signs all
// headers of `request`, which must include the host. `payload`: the hash of the body, if the signature shall cover it.
struct client_credentials {
  std::string access_key, secret_key, region;
  std::string service = "s3";
  std::string token{}; // of temporary credentials; empty: none
};
std::vector<std::pair<std::string, std::string>> sign_request(const client_credentials& with,
                                                              const signed_request& request, wall_ms now,
                                                              std::string_view payload = "UNSIGNED-PAYLOAD");
// The query of a presigned URL, encoded: the request's own and the signature, which covers the host alone of the
// headers. `seconds`: until it expires, at most presigned_seconds_max.
std::string presigned_query(const client_credentials& with, const signed_request& request, std::uint64_t seconds,
                            wall_ms now);

// A cache of signing keys, one for each secret, day and service. Bounded; thread-safe.
class signing_keys {
public:
  sha256_digest get(const std::string& secret, const std::string& date, const std::string& region,
                    const std::string& service = "s3");

private:
  static constexpr std::size_t kept_max = 1024;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, sha256_digest> kept_; // by date, region and service; secret
};

// The chain of signatures of an aws-chunked body: each chunk's signature covers the previous one. One thread at a time.
class chunk_signatures {
public:
  chunk_signatures(const signature_claim& claim, const sha256_digest& signing_key)
      : key_(signing_key), timestamp_(claim.timestamp), scope_(claim.scope()), previous_(claim.signature) {}
  bool chunk(std::string_view signature, const sha256_digest& payload);
  // `canonical`: each trailer except the signature as "name:value\n".
  bool trailer(std::string_view signature, std::string_view canonical);

private:
  bool next(std::string_view algorithm, std::string_view signature, const std::string& digests);

  sha256_digest key_;
  std::string timestamp_, scope_, previous_;
};

} // namespace cairn::net
