#include "net/iam/sts_actions.hpp"

#include "net/iam/iam_documents.hpp"
#include "storage/policy/policy.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
namespace policy = storage::policy;
using policy::action;

constexpr std::uint32_t chained_seconds_max = 3600, role_seconds_default = 3600, user_seconds_default = 12 * 3600;

struct sts_action {
  std::string_view name;
  action act{};
  std::string_view known; // parameters, each between spaces
};
constexpr sts_action sts_actions[] = {
    {"AssumeRole", action::sts_assume_role, " RoleArn RoleSessionName DurationSeconds Policy ExternalId "},
    {"AssumeRoleWithWebIdentity", action::sts_assume_role_with_web_identity,
     " RoleArn RoleSessionName DurationSeconds Policy WebIdentityToken "},
    {"GetSessionToken", action::sts_get_session_token, " DurationSeconds "},
    {"GetCallerIdentity", action::sts_get_caller_identity, " "},
};

const sts_action* find_sts(std::string_view name) {
  const auto found =
      std::find_if(std::begin(sts_actions), std::end(sts_actions), [name](const auto& a) { return a.name == name; });
  return found == std::end(sts_actions) ? nullptr : &*found;
}

std::optional<s3_error> take_time(const iam_query& query, std::uint32_t otherwise, std::uint32_t most,
                                  std::uint32_t& into) {
  const auto seconds = query.number("DurationSeconds", metadata::session_seconds_min, most, otherwise);
  if (!seconds)
    return validation_error("DurationSeconds is " + std::to_string(metadata::session_seconds_min) + " to " +
                            std::to_string(most) + " seconds.");
  into = *seconds;
  return std::nullopt;
}

std::optional<s3_error> take_policy(const iam_query& query, std::string& into) {
  const auto* const text = query.find("Policy");
  if (text == nullptr) return std::nullopt;
  into = metadata::without_space(*text);
  if (into.size() > metadata::session_policy_bytes_max)
    return s3_error{400, "PackedPolicyTooLarge",
                    "The session policy has at most " + std::to_string(metadata::session_policy_bytes_max) + " bytes."};
  const auto compiled = policy::policy::compile(into, policy::owner_kind::identity);
  if (compiled) return std::nullopt;
  return s3_error{400, "MalformedPolicyDocument", "The policy is not valid: " + compiled.error().text + "."};
}

// 2 to 1,224 characters, as in AWS.
bool valid_external_id(std::string_view text) {
  constexpr std::string_view others = "_+=,.@:/-";
  constexpr std::size_t least = 2, most = 1224;
  return text.size() >= least && text.size() <= most && std::all_of(text.begin(), text.end(), [&](char c) {
           const char low = policy::lower_letter(c);
           return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z') || others.find(c) != others.npos;
         });
}

std::optional<s3_error> take_role(const iam_query& query, sts_request& into) {
  const auto* const arn = query.find("RoleArn");
  if (arn == nullptr) return validation_error("The request must contain the parameter RoleArn.");
  auto resource = own_resource(*arn);
  if (resource && resource->starts_with("role/")) into.role = *resource;
  into.session = query.text("RoleSessionName");
  if (!metadata::valid_session_name(into.session))
    return validation_error("RoleSessionName has 2 to 64 of the characters A-Z a-z 0-9 _+=,.@-.");
  if (const auto* const id = query.find("ExternalId")) {
    if (!valid_external_id(*id)) return validation_error("ExternalId is not valid.");
    into.external_id = *id;
  }
  if (into.act == action::sts_assume_role_with_web_identity) {
    constexpr std::size_t least = 4, most = 20'000;
    into.web_token = query.text("WebIdentityToken");
    if (into.web_token.size() < least || into.web_token.size() > most)
      return validation_error("WebIdentityToken has 4 to 20000 characters.");
  }
  return take_policy(query, into.policy);
}

} // namespace

std::optional<action> sts_action_of(std::string_view name) {
  const auto* const found = find_sts(name);
  return found == nullptr ? std::nullopt : std::optional{found->act};
}

std::variant<sts_request, s3_error> read_sts(const iam_query& query) {
  const auto name = query.text("Action");
  const auto* const found = find_sts(name);
  if (found == nullptr)
    return s3_error{400, "InvalidAction",
                    "Could not find operation " + name + " for version " + query.text("Version") + "."};
  for (const auto& p : query.all()) {
    const auto known = " " + p.name.substr(0, p.name.find(".member.")) + " ";
    if (p.name.empty() || p.name == "Action" || p.name == "Version" || found->known.find(known) != known.npos) continue;
    return validation_error(name + " has no parameter " + p.name + " here.");
  }
  sts_request request{.act = found->act, .role = {}, .session = {}, .policy = {}, .external_id = {}};
  std::optional<s3_error> refused;
  if (request.act == action::sts_assume_role || request.act == action::sts_assume_role_with_web_identity) {
    refused = take_role(query, request);
    if (!refused)
      refused = take_time(query, role_seconds_default, metadata::role_session_seconds_most, request.seconds);
  } else {
    refused = take_time(query, user_seconds_default, metadata::user_session_seconds_max, request.seconds);
  }
  if (refused) return std::move(*refused);
  return request;
}

std::optional<s3_error> refused_time(const sts_request& request, const metadata::access_key_row& sender,
                                     const metadata::role_row* role) {
  if (role == nullptr) return std::nullopt;
  if (request.seconds > role->session_seconds_max)
    return validation_error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  const bool chained = sender.of_user && sender.of_user->session && sender.of_user->user.is_role();
  if (chained && request.seconds > chained_seconds_max)
    return validation_error("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
                            "chaining.");
  return std::nullopt;
}

policy::context with_sts_keys(policy::context with, const sts_request& request) {
  if (request.external_id) with.set(policy::context_key::sts_external_id, *request.external_id);
  with.set(policy::context_key::sts_role_session_name, request.session);
  return with;
}

std::string credentials_answer(const temporary_credentials& made) {
  const auto& session = made.contents.session;
  result_writer xml;
  if (session.of_role) {
    const policy::user_facts role{.name = session.name, .id = session.id, .role_session = session.session};
    xml.open("AssumedRoleUser");
    xml.text("AssumedRoleId", role.id + ":" + role.role_session);
    xml.text("Arn", role.arn());
    xml.close("AssumedRoleUser");
  }
  xml.open("Credentials");
  xml.text("AccessKeyId", made.access_key);
  xml.text("SecretAccessKey", made.contents.secret);
  xml.text("SessionToken", made.token);
  xml.text("Expiration", policy::date_text(session.expires));
  xml.close("Credentials");
  if (!made.subject.empty()) {
    xml.text("SubjectFromWebIdentityToken", readable_xml(made.subject));
    xml.text("Audience", readable_xml(made.audience));
    xml.text("Provider", made.provider);
  }
  if (!session.policy.empty())
    xml.number("PackedPolicySize", session.policy.size() * 100 / metadata::session_policy_bytes_max);
  return xml.take();
}

std::string caller_answer(const metadata::access_key_row* sender) {
  policy::context with;
  with.kind = sender != nullptr ? policy::sender::key : policy::sender::account;
  const policy::request asked{.access_key = sender != nullptr ? std::string_view{sender->id} : std::string_view{},
                              .with = &with,
                              .user = sender != nullptr && sender->of_user ? &sender->of_user->user : nullptr};
  result_writer xml;
  xml.text("UserId", asked.values({policy::context_key::userid}).front());
  xml.text("Account", policy::account_id);
  xml.text("Arn", asked.sender_arn());
  return xml.take();
}

} // namespace cairn::net
