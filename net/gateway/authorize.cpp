#include "net/gateway/authorize.hpp"

#include "net/gateway/s3_gateway.hpp"
#include "net/s3/access.hpp"
#include "net/s3/access_context.hpp"
#include "net/s3/auth/sigv2.hpp"
#include "net/s3/key_secret.hpp"
#include "net/s3/operations/copy_source.hpp"
#include "net/s3/router.hpp"
#include "net/s3/xml/cors.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/base64.hpp"
#include "net/wire/grammar/cross_site.hpp"
#include "net/wire/grammar/field_text.hpp"
#include "net/wire/grammar/fields.hpp"
#include "net/wire/grammar/host_check.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

using storage::metadata::allowed_by;

constexpr std::array<std::string_view, 6> overridable{"content-type",  "content-language", "expires",
                                                      "cache-control", "content-encoding", "content-disposition"};

std::string_view method_of(const request_head& head) {
  return view_of(head.method_string());
}

// The object that a copy reads; empty if the request is not a copy, or a copy that will be refused.
source_name source_of(const request_head& head, const request& request) {
  if (!request.operation->copies) return {};
  auto source = read_source(head, request.operation->renames, request.target.bucket);
  auto* read = std::get_if<copy_source>(&source);
  return read ? source_name{std::move(read->bucket), std::move(read->key)} : source_name{};
}

void describe(const request_head& head, const s3_gateway& shared, request& request) {
  request.by.asked =
      describe_access(request, head, {request.address, request.encrypted, shared.clock.wall(), shared.region});
}

// Whether the request is about a bucket that exists already.
bool is_about_bucket(const request& request) {
  const auto needs = request.operation->needs;
  return !request.target.bucket.empty() && needs != need::nothing && needs != need::create_bucket;
}

// What the configuration allows, a bucket's policy may deny. Downloads and commands are judged with the rows that they
// look up or change; other requests need the bucket's row for that.
bool needs_policy(const request& request) {
  return is_about_bucket(request) && !request.operation->changes_data &&
         request.operation->public_by != publicity::objects;
}

// Where an access control list may be.
const boost::beast::http::fields& settings_of(const request_head& head, const request& request) {
  if (request.form) return request.form->head;
  return head;
}

// What auth.anonymous allows without credentials. All else depends on the public access of the bucket.
bool config_allows(config::anonymous_access setting, const s3_operation& operation) {
  if (setting == config::anonymous_access::read_write) return true;
  return setting == config::anonymous_access::read && !operation.changes_data;
}

std::optional<s3_error> refused_host(std::string_view host, const s3_gateway& shared, const request& request) {
  const auto& authority = request.target.authority;
  if (!authority.empty()) host = authority;
  const bool named = !host.empty() || !request.basics.http_1_0;
  if (!named || host_allowed(host, shared.listen, shared.server_names) || subdomain_of(host, shared.domains))
    return std::nullopt;
  return access_denied("This node does not answer anonymous requests under the Host name '" + std::string{host} +
                       "'. If the name is yours, add it to http.server_names, or to http.domains if its subdomains "
                       "are buckets.");
}

std::optional<s3_error> refused_overrides(const request& request) {
  for (const auto& parameter : request.target.query) {
    if (!parameter.name.starts_with("response-")) continue;
    return s3_error{400, "InvalidRequest",
                    "Anonymous requests cannot choose response headers (" + parameter.name + ")."};
  }
  return std::nullopt;
}

// A page of another origin may only do what the bucket's CORS rules allow, so requests that no rule can apply to are
// refused.
s3_error cross_site_refused() {
  return access_denied("A page of another origin may not change this without a signature, unless a CORS rule of the "
                       "bucket allows its origin and the method.");
}

bool is_cross_site(const request_head& head, std::string_view host, const request& request) {
  if (!request.operation->changes_data) return false;
  const auto& authority = request.target.authority;
  // No browser sends these headers twice; which of them would count?
  if (head.count("Origin") > 1 || head.count("Sec-Fetch-Site") > 1) return true;
  return from_another_origin(field_of(head, "Sec-Fetch-Site"), request.origin, authority.empty() ? host : authority);
}

s3_error anonymous_refused(config::anonymous_access setting) {
  return access_denied(setting == config::anonymous_access::none
                           ? "Anonymous requests are not allowed (auth.anonymous)."
                           : "Anonymous requests may only read (auth.anonymous).");
}

// Reads response-content-type=… and similar parameters. Sent in ISO-8859-1, as S3 sends them and clients read fields.
std::optional<s3_error> read_overrides(request& request) {
  constexpr std::string_view prefix = "response-";
  for (const auto& [name, value] : request.target.query) {
    if (!name.starts_with(prefix)) continue;
    const auto header = name.substr(prefix.size());
    if (std::find(overridable.begin(), overridable.end(), header) == overridable.end()) continue;
    if (!is_header_value(value)) {
      return s3_error{400, "InvalidArgument", "A control character in " + name + "."};
    }
    auto latin1 = as_latin1(value);
    if (!latin1) {
      s3_error refused{400, "InvalidArgument", "Header value cannot be represented using ISO-8859-1."};
      refused.details = {{"ArgumentName", name}, {"ArgumentValue", value}};
      return refused;
    }
    const auto same = [&header](const auto& o) { return o.first == header; };
    if (std::none_of(request.overrides.begin(), request.overrides.end(), same))
      request.overrides.emplace_back(header, std::move(*latin1));
  }
  return std::nullopt;
}

// The head as it was sent, for the signature: without the headers that the query of a presigned URL added, which only
// Version 2 signs.
class sent_head {
public:
  sent_head(const request_head& head, const request& request) {
    headers_.reserve(16);
    const bool with_added = is_presigned_2(request.target.query);
    const auto& added = request.query_headers;
    for (const auto& field : head) {
      const header_view header{view_of(field.name_string()), view_of(field.value())};
      const auto same = [&header](const std::string& name) { return iequals(name, header.name); };
      if (with_added || std::none_of(added.begin(), added.end(), same)) headers_.push_back(header);
    }
    sent_ = {view_of(head.method_string()), request.target.path, request.target.query, headers_};
  }
  const signed_request& get() const { return sent_; }

private:
  std::vector<header_view> headers_;
  signed_request sent_;
};

std::optional<s3_error> check_claimed_2(const sent_head& sent, const signature_claim& claim, const std::string& secret,
                                        const request& request) {
  if (request.form) return check_policy_signature_2(claim, *request.form->find("policy"), secret);
  const auto& target = request.target;
  return check_presigned_2(claim, sent.get(), target.host_names_bucket ? target.bucket : std::string{}, secret,
                           is_sub_resource);
}

// Checks the claim with this secret and sets the request's signer.
std::optional<s3_error> check_claimed(const sent_head& sent, signature_claim claim, const std::string& secret,
                                      s3_gateway& shared, request& request) {
  // IAM has no regions: SDKs sign for the one that they are set to, or for us-east-1.
  const auto& region = claim.service == "s3" ? shared.region : claim.region;
  if (auto refused = check_claim(claim, region, shared.clock.wall())) return refused;
  sha256_digest key{};
  if (!claim.version_2) key = shared.signing_keys.get(secret, claim.date, claim.region, claim.service);
  auto refused = claim.version_2 ? check_claimed_2(sent, claim, secret, request)
                 : request.form  ? check_policy_signature(claim, *request.form->find("policy"), key)
                                 : check_signature(claim, sent.get(), key);
  if (refused) return refused;
  request.signer = request_signer{std::move(claim), key};
  return read_overrides(request);
}

// What the signer of a form allows those to whom the policy was given.
std::optional<s3_error> check_form_policy(const s3_gateway& shared, request& request) {
  if (!request.form) return std::nullopt;
  auto policy = read_policy(*request.form->find("policy"));
  if (auto* refused = std::get_if<s3_error>(&policy)) return std::move(*refused);
  request.policy = std::move(std::get<post_policy>(policy));
  return check_policy(request.policy, request.form->fields, request.target.bucket, shared.clock.wall());
}

std::optional<s3_error> counted(s3_gateway& shared, std::optional<s3_error> refused) {
  auto& counter = refused ? shared.metrics.requests_signature_refused : shared.metrics.requests_signed;
  counter.fetch_add(1, std::memory_order_relaxed);
  return refused;
}

s3_error unknown_key(const signature_claim& claim) {
  auto problem = s3_error_of(error{errc::no_such_access_key});
  problem.details.emplace_back("AWSAccessKeyId", claim.access_key);
  return problem;
}

// The token of temporary credentials, which have access keys of their own.
std::optional<s3_error> take_token(const signature_claim& claim, request& request) {
  constexpr std::size_t text_bytes_max = 8 * 1024;
  if (claim.token.empty()) return std::nullopt;
  const bool temporary = claim.access_key.starts_with(storage::metadata::temporary_key_prefix);
  auto token = temporary && claim.token.size() <= text_bytes_max ? base64_decode(claim.token) : std::nullopt;
  if (!token || token->empty()) return invalid_token();
  request.token = std::move(*token);
  return std::nullopt;
}

bool has_expired(const storage::metadata::access_key_row& key, wall_ms now) {
  return key.of_user && key.of_user->session && key.of_user->session->expires <= now;
}

// `read`: the claim of the head, of the form, or of a service's request.
authorization authorize_signed(const sent_head& sent, std::variant<signature_claim, s3_error> read, s3_gateway& shared,
                               request& request) {
  if (auto* refused = std::get_if<s3_error>(&read)) return *counted(shared, std::move(*refused));
  auto& claim = std::get<signature_claim>(read);
  request.claimed_key = claim.access_key;
  if (claim.version_2 && shared.sigv2 != config::sigv2_use::presigned) return *counted(shared, sigv2_refused());
  if (auto refused = take_token(claim, request)) return *counted(shared, std::move(*refused));
  const bool of_root = !shared.root_access_key.empty() && claim.access_key == shared.root_access_key;
  if (of_root && !request.token.empty()) return *counted(shared, invalid_token());
  if (of_root) {
    if (auto refused = counted(shared, check_claimed(sent, std::move(claim), shared.root_secret_key, shared, request)))
      return std::move(*refused);
    if (auto refused = check_form_policy(shared, request)) return std::move(*refused);
    return authorized{};
  }
  if (!storage::metadata::valid_access_key(claim.access_key)) return *counted(shared, unknown_key(claim));
  request.claim = std::move(claim);
  return actors::access_query{request.claim->access_key, request.target.bucket, {}, request.token};
}

authorization authorize_anonymous(std::string_view host, s3_gateway& shared, const request& request) {
  if (request.operation->preflight) return authorized{};
  if (auto refused = refused_host(host, shared, request)) return std::move(*refused);
  const bool allowed = config_allows(shared.anonymous, *request.operation);
  if (!allowed && !is_about_bucket(request)) return anonymous_refused(shared.anonymous);
  if (auto refused = refused_overrides(request)) return std::move(*refused);
  if (allowed) return authorized{};
  return actors::access_query{{}, request.target.bucket, {}};
}

std::optional<s3_error> decide_with_rows(const request_head& head, const actors::found_access& found,
                                         s3_gateway& shared, request& request) {
  request.bucket = found.bucket;
  request.seen = found.seen;
  const bool preflight = request.operation->preflight;
  if (found.bucket && !request.origin.empty() && !preflight) {
    const auto requested_method =
        field_of(head, "Access-Control-Request-Method"); // S3 applies it to other methods, too
    const auto method = requested_method.empty() ? method_of(head) : requested_method;
    request.basics.lines += cors_lines(found.bucket->cors, request.origin, method);
  }
  if (request.claim) {
    const sent_head sent{head, request};
    auto claim = std::move(*request.claim);
    request.claim.reset();
    if (!found.key) return counted(shared, request.token.empty() ? unknown_key(claim) : invalid_token());
    const auto secret = clear_secret(*found.key, shared.services.sealing.get());
    if (!secret) return shared.secret_refused(secret.error());
    if (auto refused = counted(shared, check_claimed(sent, std::move(claim), *secret, shared, request))) return refused;
    if (has_expired(*found.key, shared.clock.wall())) return expired_token();
    if (auto refused = check_form_policy(shared, request)) return refused;
    request.key = found.key;
    describe(head, shared, request);
    return decide_access(request, found, source_of(head, request));
  }
  if (request.cross_site && (!found.bucket || !cors_allows(found.bucket->cors, request.origin, method_of(head))))
    return cross_site_refused();
  if (preflight) return std::nullopt;
  if (request.by.by == allowed_by::configuration)
    return found.bucket ? denied_by_policy(request, *found.bucket) : std::nullopt;
  describe(head, shared, request);
  auto refused = decide_access(request, found, source_of(head, request));
  const bool by_policy = found.bucket && !found.bucket->policy.empty();
  return refused && found.bucket && !by_policy ? anonymous_refused(shared.anonymous) : refused;
}

} // namespace

authorization authorize(const request_head& head, s3_gateway& shared, request& request) {
  if (auto refused = refused_owner(head)) return std::move(*refused);
  const sent_head sent{head, request};
  bool is_signed = carries_credentials(sent.get());
  if (request.form) {
    if (auto refused = refused_owner(request.form->head)) return std::move(*refused);
    if (is_signed) return invalid_argument("Only one auth mechanism allowed; that of a form is in its fields");
    is_signed = request.form->carries_credentials();
  }
  // A browser sends its preflight to the presigned URL that it is about to use.
  if (request.operation->preflight) is_signed = false;
  const auto host = field_of(head, "Host");
  const auto claimed = [&] { return request.form ? read_form_signature(*request.form) : read_signature(sent.get()); };
  auto decided =
      is_signed ? authorize_signed(sent, claimed(), shared, request) : authorize_anonymous(host, shared, request);
  request.origin = field_of(head, "Origin");
  if (std::holds_alternative<s3_error>(decided)) return decided;
  request.cross_site = !is_signed && is_cross_site(head, host, request);
  const bool has_rules =
      !request.origin.empty() && !request.target.bucket.empty() && request.operation->needs != need::create_bucket;
  if (request.cross_site && !has_rules) return cross_site_refused();
  if (auto* query = std::get_if<actors::access_query>(&decided)) {
    query->bucket_2 = source_of(head, request).bucket;
    return decided;
  }
  describe(head, shared, request);
  grant_by_configuration(request);
  // The answer to a browser has the header lines of the bucket's CORS rules, so the row of the bucket is needed.
  if ((!request.origin.empty() && !request.target.bucket.empty()) || needs_policy(request) ||
      names_list(request, settings_of(head, request)))
    return actors::access_query{{}, request.target.bucket, {}};
  return authorized{};
}

authorization authenticate(const request_head& head, std::string_view service, std::string_view body,
                           s3_gateway& shared, request& request) {
  const sent_head sent{head, request};
  if (!carries_credentials(sent.get())) return access_denied("Requests of this API must be signed.");
  auto decided = authorize_signed(sent, read_service_signature(sent.get(), service, body), shared, request);
  if (!std::holds_alternative<authorized>(decided)) return decided;
  describe(head, shared, request);
  grant_by_configuration(request);
  return decided;
}

std::optional<s3_error> authorize_with_rows(const request_head& head, const actors::found_access& found,
                                            s3_gateway& shared, request& request) {
  auto refused = decide_with_rows(head, found, shared, request);
  if (refused || !found.bucket) return refused;
  return refused_list(request, settings_of(head, request), *found.bucket);
}

} // namespace cairn::net
