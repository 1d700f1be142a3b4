// Requests of the console about objects: a fixed set of S3 operations under /v1/s3/BUCKET, where the key is a parameter
// of the query, because browsers drop segments "." and ".." of paths. Each becomes a request of S3 that the session's
// access key signs, so that the gateway judges it as it judges the same request from any other client. Pure.
//
//   GET    /v1/s3/BUCKET?list-type=2…                          list; ?versions: with versions
//   GET    /v1/s3/BUCKET?key=KEY[&versionId=ID]                download, HEAD: its metadata; ?tagging: its tags
//   PUT    /v1/s3/BUCKET?key=KEY                               upload; with x-amz-copy-source: copy; ?tagging: its tags
//   DELETE /v1/s3/BUCKET?key=KEY[&versionId=ID]                delete; POST ?delete: several
//   POST   /v1/s3/BUCKET?key=KEY&uploads, PUT ?partNumber&uploadId, POST and DELETE ?uploadId    multipart uploads
#pragma once

#include "base/error.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/s3/auth/sigv4.hpp"
#include "net/s3/operation.hpp"

#include <span>
#include <string>
#include <string_view>

namespace cairn::net {

// Of every answer to such a request: a browser must not run what clients have stored, nor show it as a page of this
// port, whatever the object's own headers say.
inline constexpr std::string_view object_answer_lines =
    "Content-Security-Policy: default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors "
    "'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

struct object_request {
  std::string_view method;
  std::string_view bucket;                  // decoded
  std::span<const query_parameter> query;   // decoded; with `key`
  const boost::beast::http::fields& fields; // of the head
  std::span<const s3_operation> operations; // the table
};

// The head of the S3 request, signed, with "Connection: close". It has only headers that are listed here, and of the
// body's framing only Content-Length. A download is asked for as an attachment without a type that browsers run.
// invalid_argument: not one of the operations, an unknown parameter, or a body without a length.
result<std::string> signed_head(const object_request& asked, const client_credentials& by, wall_ms now);

// A presigned URL of GET: who has it can read the object as `by` until it ends.
struct object_link {
  std::string endpoint; // of the S3 port: "http://HOST[:PORT]" or https
  std::string bucket, key;
  std::string version;       // empty: the current one
  std::uint64_t seconds = 0; // 1 to presigned_seconds_max
};
result<std::string> presigned_url(const object_link& link, const client_credentials& by,
                                  wall_ms now); // invalid_argument

// "attachment; filename*=UTF-8''NAME": the key's last segment, without characters that hide or reorder text.
std::string attachment_of(std::string_view key);

} // namespace cairn::net
