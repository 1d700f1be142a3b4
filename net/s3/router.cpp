#include "net/s3/router.hpp"

#include "storage/metadata/rows/names.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

struct sub_resource {
  std::string_view query, feature;
};

// Queries that change what a request means. Others are ignored, as S3 does.
constexpr std::array sub_resources{
    sub_resource{"abac", "Access by attributes (?abac)"},
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
    sub_resource{"max-directory-buckets", "Directory buckets (?max-directory-buckets)"},
    sub_resource{"metadataConfiguration", "Metadata tables (?metadataConfiguration)"},
    sub_resource{"metadataInventoryTable", "Metadata tables (?metadataInventoryTable)"},
    sub_resource{"metadataJournalTable", "Metadata tables (?metadataJournalTable)"},
    sub_resource{"metadataTable", "Metadata tables (?metadataTable)"},
    sub_resource{"metrics", "Metrics configuration (?metrics)"},
    sub_resource{"notification", "Notifications (?notification)"},
    sub_resource{"object-lock", "Object locks (?object-lock)"},
    sub_resource{"ownershipControls", "Ownership controls (?ownershipControls)"},
    sub_resource{"policy", "Bucket policies (?policy)"},
    sub_resource{"policyStatus", "Bucket policies (?policyStatus)"},
    sub_resource{"publicAccessBlock", "Public access blocks (?publicAccessBlock)"},
    sub_resource{"renameObject", "Renaming (?renameObject)"},
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
    sub_resource{"versioning", "Versioning (?versioning)"},
    sub_resource{"versions", "Versioning (?versions)"},
    sub_resource{"website", "Website configuration (?website)"},
};

enum class place : std::uint8_t { bucket, object };

// The sub-resources that are implemented.
struct sub_route {
  std::string_view method;
  place where;
  std::string_view query;
  http_operation operation;
};
constexpr std::array sub_routes{
    sub_route{"GET", place::bucket, "accelerate", http_operation::read_setting},
    sub_route{"GET", place::bucket, "acl", http_operation::read_setting},
    sub_route{"GET", place::bucket, "cors", http_operation::read_setting},
    sub_route{"GET", place::bucket, "encryption", http_operation::read_setting},
    sub_route{"GET", place::bucket, "lifecycle", http_operation::read_setting},
    sub_route{"GET", place::bucket, "location", http_operation::read_setting},
    sub_route{"GET", place::bucket, "logging", http_operation::read_setting},
    sub_route{"GET", place::bucket, "notification", http_operation::read_setting},
    sub_route{"GET", place::bucket, "object-lock", http_operation::read_setting},
    sub_route{"GET", place::bucket, "ownershipControls", http_operation::read_setting},
    sub_route{"GET", place::bucket, "policy", http_operation::read_setting},
    sub_route{"GET", place::bucket, "policyStatus", http_operation::read_setting},
    sub_route{"GET", place::bucket, "publicAccessBlock", http_operation::read_setting},
    sub_route{"GET", place::bucket, "replication", http_operation::read_setting},
    sub_route{"GET", place::bucket, "requestPayment", http_operation::read_setting},
    sub_route{"GET", place::bucket, "tagging", http_operation::read_setting},
    sub_route{"GET", place::bucket, "versioning", http_operation::read_setting},
    sub_route{"GET", place::bucket, "website", http_operation::read_setting},
    sub_route{"GET", place::object, "acl", http_operation::read_setting},
    sub_route{"GET", place::object, "legal-hold", http_operation::read_setting},
    sub_route{"GET", place::object, "retention", http_operation::read_setting},
    sub_route{"GET", place::bucket, "uploads", http_operation::list_uploads},
    sub_route{"POST", place::object, "uploads", http_operation::begin_upload},
    sub_route{"PUT", place::object, "uploadId", http_operation::put_part},
    sub_route{"GET", place::object, "uploadId", http_operation::list_parts},
    sub_route{"POST", place::object, "uploadId", http_operation::complete_upload},
    sub_route{"DELETE", place::object, "uploadId", http_operation::abort_upload},
    sub_route{"GET", place::object, "attributes", http_operation::object_attributes},
    sub_route{"GET", place::object, "tagging", http_operation::read_tags},
    sub_route{"PUT", place::object, "tagging", http_operation::write_tags},
    sub_route{"DELETE", place::object, "tagging", http_operation::write_tags},
    sub_route{"PUT", place::bucket, "acl", http_operation::write_setting},
    sub_route{"PUT", place::bucket, "cors", http_operation::write_setting},
    sub_route{"PUT", place::bucket, "versioning", http_operation::write_setting},
    sub_route{"PUT", place::bucket, "lifecycle", http_operation::write_setting},
    sub_route{"PUT", place::bucket, "tagging", http_operation::write_setting},
    sub_route{"DELETE", place::bucket, "tagging", http_operation::write_setting},
    sub_route{"GET", place::bucket, "versions", http_operation::list_versions},
    sub_route{"DELETE", place::bucket, "cors", http_operation::write_setting},
    sub_route{"PUT", place::object, "acl", http_operation::write_setting},
    // Removing what was never made.
    sub_route{"DELETE", place::bucket, "encryption", http_operation::write_setting},
    sub_route{"DELETE", place::bucket, "lifecycle", http_operation::write_setting},
    sub_route{"DELETE", place::bucket, "ownershipControls", http_operation::write_setting},
    sub_route{"DELETE", place::bucket, "policy", http_operation::write_setting},
    sub_route{"DELETE", place::bucket, "publicAccessBlock", http_operation::write_setting},
    sub_route{"DELETE", place::bucket, "replication", http_operation::write_setting},
    sub_route{"DELETE", place::bucket, "website", http_operation::write_setting},
    sub_route{"POST", place::bucket, "delete", http_operation::delete_objects},
};

std::size_t sub_resources_of(const s3_target& target, const sub_resource*& first) {
  std::size_t found = 0;
  for (const auto& parameter : target.query) {
    for (const auto& known : sub_resources) {
      if (parameter.name == known.query && found++ == 0) first = &known;
    }
  }
  return found;
}

// What a sub-resource makes of the request: an operation, or a refusal.
std::optional<routed> sub_operation(std::string_view method, const s3_target& target) {
  const sub_resource* first = nullptr;
  const auto count = sub_resources_of(target, first);
  if (count == 0) return std::nullopt;
  const auto where = target.key.empty() ? place::bucket : place::object;
  for (const auto& route : sub_routes) {
    const bool meant = count == 1 && !target.bucket.empty() && route.query == first->query;
    if (meant && route.method == method && route.where == where) return routed{route.operation, std::nullopt};
  }
  return routed{http_operation::unknown, not_implemented(first->feature)};
}

std::optional<s3_error> refused_query(std::string_view method, const s3_target& target) {
  for (const auto& parameter : target.query) {
    if (parameter.name == "partNumber" && (target.key.empty() || (method != "GET" && method != "HEAD"))) {
      return not_implemented("Multipart uploads (?partNumber)");
    }
  }
  return std::nullopt;
}

s3_error method_not_allowed(std::string_view method, const s3_target& target) {
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

http_operation operation_of(std::string_view method, const s3_target& target) {
  if (target.asterisk && method != "OPTIONS") return http_operation::unknown;
  for (const auto& v : verbs) {
    if (v.method != method) continue;
    return target.bucket.empty() ? v.on_root : target.key.empty() ? v.on_bucket : v.on_object;
  }
  return http_operation::unknown;
}

} // namespace

std::string_view allow_header(const s3_target& target) {
  if (target.bucket.empty() && !target.asterisk) return "Allow: GET, OPTIONS\r\n";
  return target.key.empty() ? "Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS\r\n"
                            : "Allow: GET, HEAD, PUT, DELETE, OPTIONS\r\n";
}

http_operation copying(http_operation operation) {
  if (operation == http_operation::put_object) return http_operation::copy_object;
  return operation == http_operation::put_part ? http_operation::copy_part : operation;
}

bool changes_data(http_operation operation) {
  switch (operation) {
    case http_operation::list_buckets:
    case http_operation::head_bucket:
    case http_operation::list_objects:
    case http_operation::get_object:
    case http_operation::head_object:
    case http_operation::read_setting:
    case http_operation::list_parts:
    case http_operation::list_uploads:
    case http_operation::list_versions:
    case http_operation::object_attributes:
    case http_operation::read_tags:
    case http_operation::options:
    case http_operation::unknown:
    case http_operation::count_: return false;
    default: return true;
  }
}

std::string_view sub_resource_of(const s3_target& target) {
  const sub_resource* first = nullptr;
  return sub_resources_of(target, first) == 0 ? std::string_view{} : first->query;
}

routed route(std::string_view method, const s3_target& target) {
  if (target.bucket == "WriteGetObjectResponse") {
    return {http_operation::unknown, not_implemented("Object Lambda (WriteGetObjectResponse)")};
  }
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
  const bool asks_ahead = method == "OPTIONS"; // about a request of another method to the same target
  if (auto part = asks_ahead ? std::nullopt : sub_operation(method, target)) return std::move(*part);
  if (auto refused = asks_ahead ? std::nullopt : refused_query(method, target))
    return {http_operation::unknown, std::move(refused)};
  if (method == "POST" && !target.bucket.empty() && target.key.empty()) {
    return {http_operation::unknown, not_implemented("Uploading by HTML forms (POST)")};
  }
  const auto operation = operation_of(method, target);
  if (operation == http_operation::unknown) return {operation, method_not_allowed(method, target)};
  return {operation, std::nullopt};
}

} // namespace cairn::net
