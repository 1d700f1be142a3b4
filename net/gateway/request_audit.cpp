#include "net/gateway/request_audit.hpp"

#include "net/wire/grammar/fields.hpp"
#include "storage/policy/policy.hpp"

namespace cairn::net {

namespace {

using storage::metadata::allowed_by;

std::string_view sender_of(const request& request, std::string_view root_key) {
  if (!request.web_identity.empty()) return "web_identity";
  if (!request.signer) return request.claimed_key.empty() ? "anonymous" : "unverified";
  return !root_key.empty() && request.claimed_key == root_key ? "root" : "key";
}

std::string_view signature_of(const request& request) {
  if (request.claimed_key.empty()) return {};
  if (request.form) return "form";
  return request.target.find("X-Amz-Signature") || request.target.find("Signature") ? "url" : "header";
}

std::string_view action_of(const request& request) {
  if (request.iam != storage::policy::action::none) return to_string(request.iam);
  if (request.route == nullptr) return {};
  const bool of_version =
      request.target.find("versionId") != nullptr && request.route->of_version != storage::policy::action::none;
  const auto act = of_version ? request.route->of_version : request.route->act;
  return act == storage::policy::action::none ? std::string_view{} : to_string(act);
}

std::string_view allowed_text(const request& request) {
  switch (request.by.by) {
    case allowed_by::configuration: return request.signer ? "root" : "auth.anonymous";
    case allowed_by::key: return "grant";
    case allowed_by::policy: // or a list's grant to one user
      return request.statement || !request.bucket || !request.bucket->policy.empty() ? "policy" : "acl";
    case allowed_by::identity: return "identity";
    case allowed_by::anybody: return request.statement ? "policy" : "acl";
    case allowed_by::internal: break;
  }
  return {};
}

} // namespace

audit_entry audit_entry_of(const request& request, const boost::beast::http::fields& fields, std::string_view root_key,
                           wall_ms now) {
  audit_entry entry;
  entry.time = now;
  entry.port = "s3";
  entry.request = request.basics.request_id;
  entry.address = request.address;
  entry.who = sender_of(request, root_key);
  entry.access_key = request.claimed_key;
  if (request.key) entry.user = request.key->user;
  if (!request.web_identity.empty()) entry.user = request.web_identity;
  entry.subject = request.iam_subject;
  entry.signature = signature_of(request);
  entry.operation = request.operation->name;
  entry.action = action_of(request);
  entry.bucket = request.target.bucket;
  entry.key = request.target.key;
  if (request.operation->copies)
    entry.source = field_of(fields, request.operation->renames ? "x-amz-rename-source" : "x-amz-copy-source");
  if (const auto* upload = request.target.find("uploadId")) entry.upload = *upload;
  if (const auto* part = request.target.find("partNumber")) entry.part = *part;
  return entry;
}

void add_authority(audit_entry& entry, const request& request) {
  if (entry.status != 403) entry.allowed_by = allowed_text(request);
  if (!request.statement || !request.bucket) return;
  const auto* const policy = request.bucket->policy.empty() ? nullptr : request.bucket->policy.compiled();
  if (policy != nullptr) entry.statement = storage::policy::name_of(*policy, *request.statement);
}

} // namespace cairn::net
