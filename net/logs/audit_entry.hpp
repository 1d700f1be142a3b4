// A line of the audit log. docs/operations.md has the meaning of the members; those that do not apply are left out.
#pragma once

#include "base/seams.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn::net {

struct audit_entry {
  wall_ms time = 0;
  std::string_view port; // "s3" or "admin"
  std::string request;   // x-amz-request-id
  std::string address;   // of the client's socket
  std::string_view who;  // "root", "key", "anonymous", "unverified", "web_identity"; of the admin port also "token"
  std::string access_key;
  std::string user;           // to whom the key belongs
  std::string_view signature; // "header", "url" or "form"
  std::string_view operation; // of S3, as in metrics, or of the admin API
  std::string_view action;    // that policies are asked: "s3:PutObject"
  std::string bucket, key;
  std::string version; // that was made, removed or asked for
  std::string source;  // of a copy: "bucket/key", as it was sent
  std::string upload;  // of multipart uploads: uploadId
  std::string part;
  std::string subject;                                         // of an admin command or IAM's API: what it is about
  std::vector<std::pair<std::string, std::string>> parameters; // of an admin command
  unsigned status = 0;                                         // 0: the connection ended before an answer
  std::string error;
  std::string_view allowed_by;
  std::string statement; // of the bucket's policy, which allowed or denied it
};

// JSON, with its line feed.
std::string audit_line(const audit_entry& entry);

} // namespace cairn::net
