#include "net/s3/router.hpp"

#include "storage/metadata/rows/names.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

struct sub_resource {
  std::string_view query, feature;
};

// Sub-resources: queries that change the meaning of a request. Other queries are ignored, as in S3.
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

std::size_t sub_resources_of(const s3_target& target, const sub_resource*& first) {
  std::size_t found = 0;
  for (const auto& parameter : target.query) {
    for (const auto& known : sub_resources) {
      if (parameter.name == known.query && found++ == 0) first = &known;
    }
  }
  return found;
}

resource resource_of(const s3_target& target) {
  if (target.bucket.empty()) return resource::node;
  return target.key.empty() ? resource::bucket : resource::object;
}

// No operation: none. An operation that copies is preferred if the request names a source.
routed find_operation(std::span<const s3_operation> table, const operation_route& asked) {
  routed plain{nullptr, nullptr, std::nullopt};
  for (const auto& operation : table) {
    for (const auto& route : operation.routes) {
      const bool fits = route.query == asked.query && route.method == asked.method &&
                        (route.of == asked.of || route.of == resource::any);
      if (fits && route.copies == asked.copies) return {&operation, &route, std::nullopt};
      if (fits && !route.copies) plain = {&operation, &route, std::nullopt};
    }
  }
  return plain;
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

} // namespace

std::string_view allow_header(const s3_target& target) {
  if (target.bucket.empty() && !target.asterisk) return "Allow: GET, POST, OPTIONS\r\n";
  return target.key.empty() ? "Allow: GET, HEAD, PUT, POST, DELETE, OPTIONS\r\n"
                            : "Allow: GET, HEAD, PUT, DELETE, OPTIONS\r\n";
}

bool is_sub_resource(std::string_view query) {
  return std::any_of(sub_resources.begin(), sub_resources.end(),
                     [query](const sub_resource& known) { return known.query == query; });
}

std::string_view sub_resource_of(const s3_target& target) {
  const sub_resource* first = nullptr;
  return sub_resources_of(target, first) == 0 ? std::string_view{} : first->query;
}

routed route(std::span<const s3_operation> table, std::string_view method, const s3_target& target, bool copies) {
  const auto refuse = [](s3_error why) { return routed{&no_operation, nullptr, std::move(why)}; };
  if (target.bucket == "WriteGetObjectResponse")
    return refuse(not_implemented("Object Lambda (WriteGetObjectResponse)"));
  const bool named = !target.bucket.empty() || !target.key.empty();
  if (named && !storage::metadata::valid_bucket_name(target.bucket))
    return refuse({400, "InvalidBucketName", "This is not a valid bucket name."});
  if (target.key.size() > storage::metadata::key_bytes_max) return refuse(key_too_long());
  if (!target.key.empty() && !storage::metadata::valid_key(target.key))
    return refuse({400, "InvalidURI", "The key is not valid UTF-8 without NUL."});
  const bool asks_ahead = method == "OPTIONS"; // asks about a request with another method to the same target
  const sub_resource* sub = nullptr;
  const auto subs = asks_ahead ? 0 : sub_resources_of(target, sub);
  const operation_route asked{
      .method = method, .of = resource_of(target), .query = sub ? sub->query : std::string_view{}, .copies = copies};
  const bool ambiguous = subs > 1 || (target.asterisk && !asks_ahead);
  const auto found = ambiguous ? routed{nullptr, nullptr, std::nullopt} : find_operation(table, asked);
  const auto* operation = found.operation;
  if (subs > 0 && operation == nullptr) return refuse(not_implemented(sub->feature));
  if (subs == 0 && !asks_ahead) {
    if (auto refused = refused_query(method, target)) return refuse(std::move(*refused));
  }
  if (operation == nullptr) return refuse(method_not_allowed(method, target));
  return found;
}

} // namespace cairn::net
