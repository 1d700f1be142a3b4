#include "net/iam/sts_actions.hpp"

#include "net/iam/iam_documents.hpp"
#include "storage/policy/policy.hpp"

#include <algorithm>
#include <iterator>

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
    {"AssumeRole", action::sts_assume_role,
     " RoleArn RoleSessionName DurationSeconds Policy ExternalId Tags TransitiveTagKeys "},
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
  into.tags = {query.pairs("Tags", "Key", "Value"), query.list("TransitiveTagKeys")};
  return take_policy(query, into.policy);
}

s3_error invalid_tags(std::string message) {
  return {400, "InvalidParameterValue", std::move(message)};
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
    const auto known = " " + std::string{list_name_of(p.name)} + " ";
    const bool is_known =
        p.name.empty() || p.name == "Action" || p.name == "Version" || found->known.find(known) != known.npos;
    if (!is_known) return validation_error(name + " has no parameter " + p.name + " here.");
    if (auto refused = unread_entry(query, p)) return std::move(*refused);
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

std::variant<metadata::session_tags, s3_error>
tags_of_session(const asked_tags& asked, const metadata::session_tags& inherited, std::string_view policy) {
  metadata::session_tags all, own;
  std::copy_if(inherited.begin(), inherited.end(), std::back_inserter(all),
               [](const auto& tag) { return tag.transitive; });
  for (const auto& [key, value] : asked.all) {
    if (!metadata::valid_session_tag(key, value))
      return validation_error("A session tag has a key of 1 to 128 and a value of at most 256 letters, digits, spaces "
                              "and _.:/=+-@; its key does not begin with aws:.");
    if (metadata::find_tag(own, key) != nullptr)
      return invalid_tags("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    if (metadata::find_tag(all, key) != nullptr)
      return invalid_tags("The tag key " + key + " can't be set: it is a transitive tag of the calling session.");
    own.push_back({key, value, false});
  }
  for (const auto& key : asked.transitive_keys) {
    const auto found = std::find_if(own.begin(), own.end(),
                                    [&key](const auto& tag) { return storage::policy::same_word(tag.key, key); });
    if (found == own.end())
      return invalid_tags("The specified transitive tag key must be included in the requested tags.");
    found->transitive = true;
  }
  all.insert(all.end(), own.begin(), own.end());
  if (all.size() > metadata::session_tags_max)
    return validation_error("A session has at most 50 tags, with those of the calling session that are transitive.");
  if (metadata::packed_bytes(policy, all) > metadata::session_packed_bytes_max)
    return s3_error{400, "PackedPolicyTooLarge",
                    "The session policy and the session tags together have at most " +
                        std::to_string(metadata::session_packed_bytes_max) + " bytes."};
  return all;
}

policy::context with_sts_keys(policy::context with, const sts_request& request, const metadata::session_tags& tags) {
  using policy::context_key;
  if (request.external_id) with.set(context_key::sts_external_id, *request.external_id);
  with.set(context_key::sts_role_session_name, request.session);
  for (const auto& tag : tags) {
    with.values.push_back({context_key::request_tag, tag.key, {tag.value}});
    with.set(context_key::tag_keys, tag.key);
    if (tag.transitive) with.set(context_key::sts_transitive_tag_keys, tag.key);
  }
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
  const auto packed = metadata::packed_bytes(session.policy, session.tags);
  constexpr auto most = metadata::session_packed_bytes_max;
  if (packed > 0) xml.number("PackedPolicySize", (packed * 100 + most - 1) / most);
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
