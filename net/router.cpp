#include "net/router.hpp"

#include "storage/metadata/store.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

using storage::http_operation;

struct sub_resource {
  std::string_view query, feature;
};

// Queries that change what a request means. Others are ignored, as S3 does.
constexpr std::array sub_resources{
    sub_resource{"accelerate", "Transfer acceleration (?accelerate)"},
    sub_resource{"acl", "Access control lists (?acl)"},
    sub_resource{"analytics", "Analytics (?analytics)"},
    sub_resource{"append", "Appending (?append)"},
    sub_resource{"attributes", "GetObjectAttributes (?attributes)"},
    sub_resource{"cors", "CORS configuration (?cors)"},
    sub_resource{"delete", "Deleting several objects (?delete)"},
    sub_resource{"encryption", "Encryption (?encryption)"},
    sub_resource{"intelligent-tiering", "Tiering (?intelligent-tiering)"},
    sub_resource{"inventory", "Inventories (?inventory)"},
    sub_resource{"legal-hold", "Legal holds (?legal-hold)"},
    sub_resource{"lifecycle", "Lifecycle rules (?lifecycle)"},
    sub_resource{"location", "Bucket locations (?location)"},
    sub_resource{"logging", "Access logging (?logging)"},
    sub_resource{"metrics", "Metrics configuration (?metrics)"},
    sub_resource{"notification", "Notifications (?notification)"},
    sub_resource{"object-lock", "Object locks (?object-lock)"},
    sub_resource{"ownershipControls", "Ownership controls (?ownershipControls)"},
    sub_resource{"partNumber", "Multipart (?partNumber)"},
    sub_resource{"policy", "Bucket policies (?policy)"},
    sub_resource{"policyStatus", "Bucket policies (?policyStatus)"},
    sub_resource{"publicAccessBlock", "Public access blocks (?publicAccessBlock)"},
    sub_resource{"replication", "Replication rules (?replication)"},
    sub_resource{"requestPayment", "Request payment (?requestPayment)"},
    sub_resource{"restore", "Restoring (?restore)"},
    sub_resource{"retention", "Retention (?retention)"},
    sub_resource{"select", "Select (?select)"},
    sub_resource{"session", "Sessions (?session)"},
    sub_resource{"tagging", "Tagging (?tagging)"},
    sub_resource{"torrent", "Torrents (?torrent)"},
    sub_resource{"uploadId", "Multipart uploads (?uploadId)"},
    sub_resource{"uploads", "Multipart uploads (?uploads)"},
    sub_resource{"versionId", "Versioning (?versionId)"},
    sub_resource{"versioning", "Versioning (?versioning)"},
    sub_resource{"versions", "Versioning (?versions)"},
    sub_resource{"website", "Website configuration (?website)"},
};

std::optional<s3_error> unknown_feature(const request_target& target) {
  for (const auto& parameter : target.query) {
    for (const auto& known : sub_resources) {
      if (parameter.name == known.query) return not_implemented(known.feature);
    }
  }
  return std::nullopt;
}

s3_error method_not_allowed(std::string_view method, const request_target& target) {
  return {405, "MethodNotAllowed", std::string{method} + " is not allowed on this resource.",
          std::string{allow_header(target)}};
}

struct verb {
  std::string_view method;
  http_operation on_root, on_bucket, on_object;
};

constexpr std::array verbs{
    verb{"GET", http_operation::list_buckets, http_operation::list_objects, http_operation::get_object},
    verb{"HEAD", http_operation::unknown, http_operation::head_bucket, http_operation::head_object},
    verb{"PUT", http_operation::unknown, http_operation::create_bucket, http_operation::put_object},
    verb{"DELETE", http_operation::unknown, http_operation::delete_bucket, http_operation::delete_object},
    verb{"OPTIONS", http_operation::options, http_operation::options, http_operation::options},
};

http_operation operation_of(std::string_view method, const request_target& target) {
  if (target.asterisk && method != "OPTIONS") return http_operation::unknown;
  for (const auto& v : verbs) {
    if (v.method != method) continue;
    return target.bucket.empty() ? v.on_root : target.key.empty() ? v.on_bucket : v.on_object;
  }
  return http_operation::unknown;
}

} // namespace

std::string_view allow_header(const request_target& target) {
  return target.bucket.empty() && !target.asterisk ? "Allow: GET, OPTIONS\r\n"
                                                   : "Allow: GET, HEAD, PUT, DELETE, OPTIONS\r\n";
}

bool changes_data(http_operation operation) {
  return operation == http_operation::create_bucket || operation == http_operation::delete_bucket ||
         operation == http_operation::put_object || operation == http_operation::delete_object;
}

routed route(std::string_view method, const request_target& target) {
  const bool named = !target.bucket.empty() || !target.key.empty();
  if (named && !storage::metadata::valid_bucket_name(target.bucket)) {
    return {http_operation::unknown, s3_error{400, "InvalidBucketName", "This is not a valid bucket name."}};
  }
  if (target.key.size() > storage::metadata::key_bytes_max) {
    return {http_operation::unknown, s3_error{400, "KeyTooLongError", "The key is longer than 1024 bytes."}};
  }
  if (!target.key.empty() && !storage::metadata::valid_key(target.key)) {
    return {http_operation::unknown, s3_error{400, "InvalidURI", "The key is not valid UTF-8 without NUL."}};
  }
  if (auto refused = unknown_feature(target)) return {http_operation::unknown, std::move(refused)};
  const auto operation = operation_of(method, target);
  if (operation == http_operation::unknown) return {operation, method_not_allowed(method, target)};
  return {operation, std::nullopt};
}

} // namespace cairn::net
