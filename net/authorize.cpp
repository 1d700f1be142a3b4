#include "net/authorize.hpp"

#include "net/host_check.hpp"
#include "net/http_shared.hpp"
#include "net/router.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

namespace http = boost::beast::http;
using head_fields = http::header<true, http::fields>;

constexpr std::array<std::string_view, 6> overridable{"content-type",  "content-language", "expires",
                                                      "cache-control", "content-encoding", "content-disposition"};

std::string_view view_of(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// The path as it was sent, of "/a/b?c" and "http://host/a/b?c".
std::string_view path_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  if (target.starts_with('/')) return target;
  const auto scheme = target.find("://");
  const auto slash = scheme == target.npos ? target.npos : target.find('/', scheme + 3);
  return slash == target.npos ? std::string_view{"/"} : target.substr(slash);
}

std::optional<s3_error> anonymous_may(std::string_view host, const http_shared& shared, const request& request) {
  const auto& authority = request.target.authority;
  if (!authority.empty()) host = authority;
  const bool named = !host.empty() || !request.basics.http_1_0;
  if (named && !host_allowed(host, shared.listen, shared.server_names)) {
    return s3_error{403, "AccessDenied",
                    "This node does not answer anonymous requests under the Host name '" + std::string{host} +
                        "'. If the name is yours, add it to http.server_names."};
  }
  if (shared.anonymous == config::anonymous_access::none) {
    return s3_error{403, "AccessDenied", "Anonymous requests are not allowed (auth.anonymous)."};
  }
  if (shared.anonymous == config::anonymous_access::read && changes_data(request.operation)) {
    return s3_error{403, "AccessDenied", "Anonymous requests may only read (auth.anonymous)."};
  }
  for (const auto& parameter : request.target.query) {
    if (!parameter.name.starts_with("response-")) continue;
    return s3_error{400, "InvalidRequest",
                    "Anonymous requests cannot choose response headers (" + parameter.name + ")."};
  }
  return std::nullopt;
}

bool is_header_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 || c == '\t') && byte != 0x7f;
  });
}

// response-content-type=… and its kin.
std::optional<s3_error> read_overrides(request& request) {
  constexpr std::string_view prefix = "response-";
  for (const auto& [name, value] : request.target.query) {
    if (!name.starts_with(prefix)) continue;
    const auto header = name.substr(prefix.size());
    if (std::find(overridable.begin(), overridable.end(), header) == overridable.end()) continue;
    if (!is_header_value(value)) {
      return s3_error{400, "InvalidArgument", "A control character in " + name + "."};
    }
    const auto same = [&header](const auto& o) { return o.first == header; };
    if (std::none_of(request.overrides.begin(), request.overrides.end(), same))
      request.overrides.emplace_back(header, value);
  }
  return std::nullopt;
}

std::optional<s3_error> check_signed(const signed_request& sent, http_shared& shared, request& request) {
  auto read = read_signature(sent);
  if (auto* refused = std::get_if<s3_error>(&read)) return std::move(*refused);
  auto& claim = std::get<signature_claim>(read);
  if (shared.root_access_key.empty() || claim.access_key != shared.root_access_key) {
    return s3_error{403,
                    "InvalidAccessKeyId",
                    "The AWS access key ID you provided does not exist in our records.",
                    {},
                    {{"AWSAccessKeyId", claim.access_key}}};
  }
  if (auto refused = check_claim(claim, shared.region, shared.clock.wall())) return refused;
  const auto key = shared.signing_keys.get(shared.root_secret_key, claim.date, claim.region);
  if (auto refused = check_signature(claim, sent, key)) return refused;
  request.signer = request_signer{std::move(claim), key};
  return read_overrides(request);
}

} // namespace

std::optional<s3_error> authorize(const head_fields& head, std::string_view host, http_shared& shared,
                                  request& request) {
  std::vector<header_view> headers;
  headers.reserve(16);
  for (const auto& field : head) headers.push_back({view_of(field.name_string()), view_of(field.value())});
  const signed_request sent{view_of(head.method_string()), path_of(view_of(head.target())), request.target.query,
                            headers};
  if (!carries_credentials(sent)) return anonymous_may(host, shared, request);
  auto refused = check_signed(sent, shared, request);
  auto& counter = refused ? shared.metrics.requests_signature_refused : shared.metrics.requests_signed;
  counter.fetch_add(1, std::memory_order_relaxed);
  return refused;
}

} // namespace cairn::net
