#include "net/web_identity/json_web_token.hpp"

#include "base/json.hpp"
#include "config/rules.hpp"
#include "net/wire/grammar/base64.hpp"

#include <algorithm>
#include <cmath>

namespace cairn::net {

namespace {

namespace policy = storage::policy;
using policy::context_key;

constexpr std::size_t header_depth_max = 4, claims_depth_max = 16, subject_bytes_max = 255, text_bytes_max = 1024,
                      list_max = 16, tags_max = 50;
constexpr wall_ms second = 1000, leeway = 60 * second;

// A claim, which answers and logs may show: without control characters.
bool is_text(const json_value& value, std::size_t bytes_max) {
  const auto text = text_of(value);
  return !text.empty() && text.size() <= bytes_max && std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

// False: there is one that is none. A claim that is not there leaves `into` as it is.
bool take_text(const json_object& claims, const char* name, std::size_t bytes_max, std::string& into) {
  const auto* const value = claims.if_contains(name);
  if (value == nullptr) return true;
  if (!is_text(*value, bytes_max)) return false;
  into = text_of(*value);
  return true;
}

// A text, or a list of them.
bool take_texts(const json_object& claims, const char* name, std::vector<std::string>& into,
                std::size_t texts_max = list_max) {
  const auto* const value = claims.if_contains(name);
  if (value == nullptr) return true;
  const auto take = [&into](const json_value& one) {
    if (!is_text(one, text_bytes_max)) return false;
    into.emplace_back(text_of(one));
    return true;
  };
  const auto* const list = value->if_array();
  if (list == nullptr) return take(*value);
  return list->size() <= texts_max && std::all_of(list->begin(), list->end(), take);
}

// Seconds since 1970, also with a fraction.
bool take_time(const json_object& claims, const char* name, wall_ms& into) {
  constexpr double seconds_max = 253'402'300'800.0; // the year 10000
  const auto* const value = claims.if_contains(name);
  if (value == nullptr) return true;
  if (!value->is_number()) return false;
  const auto seconds = value->to_number<double>();
  if (!std::isfinite(seconds) || seconds < 1 || seconds >= seconds_max) return false;
  into = static_cast<wall_ms>(std::floor(seconds * second));
  return true;
}

std::optional<json_value> read_part(std::string_view part, std::size_t depth_max) {
  const auto bytes = base64url_decode(part);
  auto value = bytes ? read_json(*bytes, web_token_bytes_max, depth_max) : std::nullopt;
  if (!value || !value->is_object() || has_repeated_members(*bytes, *value)) return std::nullopt;
  return value;
}

bool read_header(const json_object& header, signature_header& into) {
  if (header.contains("crit") || !take_text(header, "kid", subject_bytes_max, into.key_id) ||
      !take_text(header, "alg", subject_bytes_max, into.algorithm))
    return false;
  return is_signature_algorithm(into.algorithm);
}

// A tag's value is a text, or a list of one.
bool take_tag(std::string_view key, const json_value& value, web_token& into) {
  const auto* const list = value.if_array();
  if (list != nullptr && list->size() != 1) return false;
  const auto& one = list != nullptr ? list->front() : value;
  if (!one.is_string() || into.tags.size() == tags_max) return false;
  into.tags.emplace_back(key, text_of(one));
  return true;
}

// {"principal_tags": {"team": ["blue"]}, "transitive_tag_keys": ["team"]} in one claim, or, as issuers without nested
// claims write it, ".../principal_tags/team": "blue" and ".../transitive_tag_keys" (AWS, IAM User Guide, "Passing
// session tags using AssumeRoleWithWebIdentity").
bool take_session_tags(const json_object& claims, web_token& into) {
  constexpr std::string_view flat_tag = "https://aws.amazon.com/tags/principal_tags/";
  if (const auto* const nested = claims.if_contains("https://aws.amazon.com/tags")) {
    const auto* const parts = nested->if_object();
    if (parts == nullptr || !take_texts(*parts, "transitive_tag_keys", into.transitive_tag_keys, tags_max))
      return false;
    if (const auto* const given = parts->if_contains("principal_tags")) {
      const auto* const all = given->if_object();
      if (all == nullptr) return false;
      for (const auto& member : *all)
        if (!take_tag(member_name(member), member.value(), into)) return false;
    }
  }
  for (const auto& member : claims) {
    const auto name = member_name(member);
    if (name.starts_with(flat_tag) && !take_tag(name.substr(flat_tag.size()), member.value(), into)) return false;
  }
  return take_texts(claims, "https://aws.amazon.com/tags/transitive_tag_keys", into.transitive_tag_keys, tags_max);
}

bool read_claims(const json_object& claims, web_token& into) {
  return take_text(claims, "iss", text_bytes_max, into.issuer) && !into.issuer.empty() &&
         take_text(claims, "sub", subject_bytes_max, into.subject) && !into.subject.empty() &&
         take_text(claims, "azp", text_bytes_max, into.authorized_party) && take_texts(claims, "aud", into.audiences) &&
         !into.audiences.empty() && take_texts(claims, "amr", into.methods) && take_time(claims, "exp", into.expires) &&
         into.expires != 0 && take_time(claims, "nbf", into.not_before) && take_time(claims, "iat", into.issued) &&
         take_session_tags(claims, into);
}

bool is_among(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

} // namespace

s3_error invalid_identity_token(std::string message) {
  return {400, "InvalidIdentityToken", std::move(message)};
}

std::variant<web_token, s3_error> read_web_token(std::string_view text) {
  const auto malformed = [] { return invalid_identity_token("The ID Token provided is not a valid JWT."); };
  if (text.size() > web_token_bytes_max || std::count(text.begin(), text.end(), '.') != 2) return malformed();
  const auto first = text.find('.'), second_dot = text.rfind('.');
  const auto header = read_part(text.substr(0, first), header_depth_max);
  const auto claims = read_part(text.substr(first + 1, second_dot - first - 1), claims_depth_max);
  if (!header || !claims) return malformed();
  web_token token{.text = std::string{text}};
  if (!read_header(header->get_object(), token.header))
    return invalid_identity_token("The token's algorithm or header is not supported.");
  if (!read_claims(claims->get_object(), token))
    return invalid_identity_token("The token lacks a claim (iss, sub, aud, exp), or has one that is not valid.");
  return token;
}

std::optional<s3_error> refused_claims(const web_token& token, const config::oidc_issuer& issuer, wall_ms now) {
  if (token.issuer != issuer.issuer) return invalid_identity_token("Another issuer has made the token.");
  const auto audience = audience_of(token, issuer);
  // OpenID Connect Core 1.0, 3.1.3.7: of several audiences one must be the party to which the token was issued.
  const bool is_for_us = !audience.empty() && (token.audiences.size() == 1 || token.authorized_party == audience);
  if (!is_for_us) return invalid_identity_token("Incorrect token audience.");
  if (now - leeway >= token.expires)
    return s3_error{400, "ExpiredTokenException", "Token expired: current date/time must be before its expiration."};
  if (token.not_before > now + leeway || token.issued > now + leeway)
    return s3_error{403, "IDPRejectedClaim", "The token was issued, or is valid, in the future only."};
  return std::nullopt;
}

std::string_view audience_of(const web_token& token, const config::oidc_issuer& issuer) {
  const auto& wanted = issuer.audiences;
  const auto& given = token.audiences;
  // Of several the authorized party, if it is one of them.
  if (is_among(wanted, token.authorized_party) && is_among(given, token.authorized_party))
    return token.authorized_party;
  const auto found =
      std::find_if(given.begin(), given.end(), [&wanted](const auto& text) { return is_among(wanted, text); });
  return found == given.end() ? std::string_view{} : *found;
}

policy::context with_claims(policy::context with, const web_token& token) {
  const std::string provider{config::provider_of(token.issuer)};
  const auto add = [&](context_key key, std::vector<std::string> values) {
    if (!values.empty()) with.values.push_back({key, provider, std::move(values)});
  };
  add(context_key::web_identity_sub, {token.subject});
  add(context_key::web_identity_aud, token.audiences);
  add(context_key::web_identity_amr, token.methods);
  if (!token.authorized_party.empty()) add(context_key::web_identity_azp, {token.authorized_party});
  return with;
}

} // namespace cairn::net
