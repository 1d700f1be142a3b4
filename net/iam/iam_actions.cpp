#include "net/iam/iam_actions.hpp"

#include "base/units.hpp"
#include "storage/policy/policy.hpp"

#include <algorithm>
#include <charconv>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
namespace policy = storage::policy;
using metadata::identity_kind;
using policy::action;

constexpr std::string_view user_name = "UserName", group_name = "GroupName", role_name = "RoleName",
                           trust_document = "AssumeRolePolicyDocument", policy_arn = "PolicyArn",
                           policy_name = "PolicyName", provider_arn = "OpenIDConnectProviderArn",
                           path_pages = "PathPrefix Marker MaxItems", pages = "Marker MaxItems";
constexpr std::size_t known_secret_bytes_min = 8; // as MinIO's

constexpr iam_action action_rows[] = {
    {"CreateUser", action::iam_create_user, user_name, {}, "Path Tags"},
    {"GetUser", action::iam_get_user, user_name, {}, {}, true},
    {"ListUsers", action::iam_list_users, {}, {}, path_pages},
    {"UpdateUser", action::iam_update_user, user_name, {}, "NewUserName NewPath"},
    {"DeleteUser", action::iam_delete_user, user_name},
    {"TagUser", action::iam_tag_user, user_name, {}, "Tags"},
    {"UntagUser", action::iam_untag_user, user_name, {}, "TagKeys"},
    {"ListUserTags", action::iam_list_user_tags, user_name, {}, pages},
    {"CreateGroup", action::iam_create_group, group_name, {}, "Path"},
    {"GetGroup", action::iam_get_group, group_name, {}, pages},
    {"ListGroups", action::iam_list_groups, {}, {}, path_pages},
    {"DeleteGroup", action::iam_delete_group, group_name},
    {"AddUserToGroup", action::iam_add_user_to_group, group_name, user_name},
    {"RemoveUserFromGroup", action::iam_remove_user_from_group, group_name, user_name},
    {"ListGroupsForUser", action::iam_list_groups_for_user, user_name, {}, pages},
    {"CreatePolicy", action::iam_create_policy, policy_name, "PolicyDocument", "Path Description"},
    {"GetPolicy", action::iam_get_policy, policy_arn},
    {"ListPolicies",
     action::iam_list_policies,
     {},
     {},
     "Scope OnlyAttached PolicyUsageFilter PathPrefix Marker MaxItems"},
    {"DeletePolicy", action::iam_delete_policy, policy_arn},
    {"CreatePolicyVersion", action::iam_create_policy_version, policy_arn, "PolicyDocument", "SetAsDefault"},
    {"GetPolicyVersion", action::iam_get_policy_version, policy_arn, "VersionId"},
    {"ListPolicyVersions", action::iam_list_policy_versions, policy_arn, {}, pages},
    {"SetDefaultPolicyVersion", action::iam_set_default_policy_version, policy_arn, "VersionId"},
    {"DeletePolicyVersion", action::iam_delete_policy_version, policy_arn, "VersionId"},
    {"ListEntitiesForPolicy",
     action::iam_list_entities_for_policy,
     policy_arn,
     {},
     "EntityFilter PolicyUsageFilter PathPrefix Marker MaxItems"},
    {"AttachUserPolicy", action::iam_attach_user_policy, user_name, policy_arn},
    {"DetachUserPolicy", action::iam_detach_user_policy, user_name, policy_arn},
    {"ListAttachedUserPolicies", action::iam_list_attached_user_policies, user_name, {}, path_pages},
    {"AttachGroupPolicy", action::iam_attach_group_policy, group_name, policy_arn},
    {"DetachGroupPolicy", action::iam_detach_group_policy, group_name, policy_arn},
    {"ListAttachedGroupPolicies", action::iam_list_attached_group_policies, group_name, {}, path_pages},
    {"PutUserPolicy", action::iam_put_user_policy, user_name, policy_name, "PolicyDocument"},
    {"GetUserPolicy", action::iam_get_user_policy, user_name, policy_name},
    {"ListUserPolicies", action::iam_list_user_policies, user_name, {}, pages},
    {"DeleteUserPolicy", action::iam_delete_user_policy, user_name, policy_name},
    {"PutGroupPolicy", action::iam_put_group_policy, group_name, policy_name, "PolicyDocument"},
    {"GetGroupPolicy", action::iam_get_group_policy, group_name, policy_name},
    {"ListGroupPolicies", action::iam_list_group_policies, group_name, {}, pages},
    {"DeleteGroupPolicy", action::iam_delete_group_policy, group_name, policy_name},
    {"CreateRole", action::iam_create_role, role_name, trust_document, "Path Description MaxSessionDuration Tags"},
    {"GetRole", action::iam_get_role, role_name},
    {"ListRoles", action::iam_list_roles, {}, {}, path_pages},
    {"UpdateRole", action::iam_update_role, role_name, {}, "Description MaxSessionDuration"},
    {"UpdateAssumeRolePolicy", action::iam_update_assume_role_policy, role_name, "PolicyDocument"},
    {"DeleteRole", action::iam_delete_role, role_name},
    {"TagRole", action::iam_tag_role, role_name, {}, "Tags"},
    {"UntagRole", action::iam_untag_role, role_name, {}, "TagKeys"},
    {"ListRoleTags", action::iam_list_role_tags, role_name, {}, pages},
    {"AttachRolePolicy", action::iam_attach_role_policy, role_name, policy_arn},
    {"DetachRolePolicy", action::iam_detach_role_policy, role_name, policy_arn},
    {"ListAttachedRolePolicies", action::iam_list_attached_role_policies, role_name, {}, path_pages},
    {"PutRolePolicy", action::iam_put_role_policy, role_name, policy_name, "PolicyDocument"},
    {"GetRolePolicy", action::iam_get_role_policy, role_name, policy_name},
    {"ListRolePolicies", action::iam_list_role_policies, role_name, {}, pages},
    {"DeleteRolePolicy", action::iam_delete_role_policy, role_name, policy_name},
    {"CreateAccessKey", action::iam_create_access_key, user_name, {}, "AccessKeyId SecretAccessKey", true},
    {"ListAccessKeys", action::iam_list_access_keys, user_name, {}, pages, true},
    {"UpdateAccessKey", action::iam_update_access_key, user_name, "AccessKeyId", "Status", true},
    {"DeleteAccessKey", action::iam_delete_access_key, user_name, "AccessKeyId", {}, true},
    {"GetAccessKeyLastUsed", action::iam_get_access_key_last_used, "AccessKeyId"},
    {"CreateOpenIDConnectProvider",
     action::iam_create_open_id_connect_provider,
     "Url",
     {},
     "ClientIDList ThumbprintList Tags"},
    {"GetOpenIDConnectProvider", action::iam_get_open_id_connect_provider, provider_arn},
    {"ListOpenIDConnectProviders", action::iam_list_open_id_connect_providers, {}},
    {"DeleteOpenIDConnectProvider", action::iam_delete_open_id_connect_provider, provider_arn},
    {"AddClientIDToOpenIDConnectProvider", action::iam_add_client_id_to_open_id_connect_provider, provider_arn,
     "ClientID"},
    {"RemoveClientIDFromOpenIDConnectProvider", action::iam_remove_client_id_from_open_id_connect_provider,
     provider_arn, "ClientID"},
    {"UpdateOpenIDConnectProviderThumbprint",
     action::iam_update_open_id_connect_provider_thumbprint,
     provider_arn,
     {},
     "ThumbprintList"},
    {"TagOpenIDConnectProvider", action::iam_tag_open_id_connect_provider, provider_arn, {}, "Tags"},
    {"UntagOpenIDConnectProvider", action::iam_untag_open_id_connect_provider, provider_arn, {}, "TagKeys"},
    {"ListOpenIDConnectProviderTags", action::iam_list_open_id_connect_provider_tags, provider_arn, {}, pages},
    {"SimulatePrincipalPolicy",
     action::iam_simulate_principal_policy,
     "PolicySourceArn",
     {},
     "ActionNames ResourceArns ContextEntries Marker MaxItems"},
    {"SimulateCustomPolicy",
     action::iam_simulate_custom_policy,
     {},
     {},
     "PolicyInputList ActionNames ResourceArns ContextEntries Marker MaxItems"},
};

// Whether `name` is one of the words.
bool is_word_of(std::string_view words, std::string_view name) {
  while (!words.empty()) {
    const auto one = words.substr(0, words.find(' '));
    if (one == name) return true;
    words.remove_prefix(std::min(words.size(), one.size() + 1));
  }
  return false;
}

std::optional<s3_error> unknown_parameter(const iam_action& action, const iam_query& query) {
  for (const auto& p : query.all()) {
    const auto name = list_name_of(p.name);
    const bool known = name == "Action" || name == "Version" || name == action.subject || name == action.other ||
                       is_word_of(action.also, name);
    if (!known && !name.empty())
      return validation_error(std::string{action.name} + " has no parameter " + std::string{name} + " here.");
    if (auto refused = unread_entry(query, p)) return refused;
  }
  return std::nullopt;
}

s3_error missing_parameter(std::string_view name) {
  return validation_error("The request must contain the parameter " + std::string{name} + ".");
}

std::optional<std::string> name_in(std::string_view arn, std::string_view kind) {
  const auto resource = own_resource(arn);
  if (!resource || !resource->starts_with(kind)) return std::nullopt;
  return std::string{resource->substr(resource->rfind('/') + 1)};
}

// "v3"
std::optional<std::uint32_t> version_number(std::string_view text) {
  std::uint32_t number = 0;
  if (!text.starts_with('v')) return std::nullopt;
  const auto* const end = text.data() + text.size();
  const auto [at, problem] = std::from_chars(text.data() + 1, end, number);
  if (problem != std::errc{} || at != end || number == 0) return std::nullopt;
  return number;
}

std::string path_or(const iam_query& query, std::string_view name) {
  const auto* const given = query.find(name);
  return given != nullptr && !given->empty() ? *given : "/";
}

// To set, or, with empty values, to remove.
policy::tag_pairs tags_in(const iam_query& query) {
  auto tags = query.pairs("Tags", "Key", "Value");
  for (auto& key : query.list("TagKeys")) tags.emplace_back(std::move(key), std::string{});
  return tags;
}

std::optional<s3_error> take_document(const iam_query& query, std::string_view parameter, policy::owner_kind of,
                                      std::string& into) {
  const auto* const text = query.find(parameter);
  if (text == nullptr) return missing_parameter(parameter);
  into = metadata::without_space(*text);
  const auto compiled = policy::policy::compile(into, of);
  if (compiled) return std::nullopt;
  return s3_error{400, "MalformedPolicyDocument", "The policy is not valid: " + compiled.error().text + "."};
}

// A key that the user had at another server: its id and its secret, or neither.
std::optional<s3_error> take_known_key(const iam_query& query, metadata::change_identity& c) {
  c.other = query.text("AccessKeyId");
  c.text = query.text("SecretAccessKey");
  if (c.other.empty() && c.text.empty()) return std::nullopt;
  const auto printable = [](char letter) { return letter > ' ' && letter <= '~'; };
  if (!metadata::valid_access_key(c.other)) return validation_error("AccessKeyId is not valid.");
  if (c.text.size() < known_secret_bytes_min || c.text.size() > metadata::secret_bytes_max ||
      !std::all_of(c.text.begin(), c.text.end(), printable))
    return validation_error("SecretAccessKey has 8 to 256 printable ASCII characters.");
  return std::nullopt;
}

// MaxSessionDuration; `otherwise`: without it.
std::optional<s3_error> take_session_time(const iam_query& query, std::uint32_t otherwise, std::uint32_t& into) {
  const auto seconds = query.number("MaxSessionDuration", metadata::role_session_seconds_least,
                                    metadata::role_session_seconds_most, otherwise);
  if (!seconds) return validation_error("MaxSessionDuration is 3600 to 43200 seconds.");
  into = *seconds;
  return std::nullopt;
}

// "https://idp.example.org/team", or the ARN of a provider, as its name: without the scheme. Not valid: empty.
std::string provider_name_in(const iam_action& action, const iam_query& query) {
  constexpr std::string_view scheme = "https://", kind = "oidc-provider/";
  const auto given = query.text(action.subject);
  const bool by_url = action.subject != provider_arn;
  const auto resource = by_url ? std::optional{std::string_view{given}} : own_resource(given);
  const auto before = by_url ? scheme : kind;
  const auto name = resource && resource->starts_with(before) ? resource->substr(before.size()) : std::string_view{};
  return config::is_provider_name(name) ? std::string{name} : std::string{};
}

// The client ids and thumbprints of a provider.
std::optional<s3_error> take_provider(const iam_action& action, const iam_query& query, metadata::change_identity& c) {
  c.name = provider_name_in(action, query);
  if (c.name.empty() && action.subject != provider_arn)
    return validation_error("Invalid Open ID Connect Provider URL: it is https://HOST/PATH, its host in lower case and "
                            "without a query.");
  c.client_ids = query.list("ClientIDList");
  if (action.other == "ClientID") c.client_ids.push_back(query.text("ClientID"));
  if (!std::all_of(c.client_ids.begin(), c.client_ids.end(), metadata::valid_client_id))
    return validation_error("A client id has 1 to 255 printable ASCII characters.");
  for (const auto& text : query.list("ThumbprintList")) c.thumbprints.push_back(policy::lower_case(text));
  if (!std::all_of(c.thumbprints.begin(), c.thumbprints.end(), metadata::valid_thumbprint))
    return validation_error("A thumbprint is the SHA-1 of a certificate, 40 hexadecimal digits.");
  if (c.what == action::iam_update_open_id_connect_provider_thumbprint && c.thumbprints.empty())
    return missing_parameter("ThumbprintList");
  return std::nullopt;
}

std::optional<s3_error> take_names(const iam_action& action, const iam_query& query, metadata::change_identity& c) {
  const auto take = [&](std::string_view parameter, std::string& into) -> std::optional<s3_error> {
    into = query.text(parameter);
    if (parameter != policy_arn) return std::nullopt;
    const auto name = policy_name_of(into);
    if (!name) return no_such_entity("Policy " + into + " does not exist.");
    into = *name;
    return std::nullopt;
  };
  if (auto refused = take(action.subject, c.name)) return refused;
  const bool has_other = action.other == user_name || action.other == policy_arn || action.other == policy_name ||
                         action.other == "AccessKeyId";
  return has_other ? take(action.other, c.other) : std::nullopt;
}

} // namespace

bool iam_action::creates() const {
  return act == action::iam_create_user || act == action::iam_create_group || act == action::iam_create_policy ||
         act == action::iam_create_role || act == action::iam_create_open_id_connect_provider;
}

const iam_action* find_action(std::string_view name) {
  const auto found = std::find_if(std::begin(action_rows), std::end(action_rows),
                                  [name](const iam_action& a) { return a.name == name; });
  return found == std::end(action_rows) ? nullptr : &*found;
}

std::variant<const iam_action*, s3_error> read_action(iam_query& query, const policy::user_facts* caller) {
  const auto name = query.text("Action");
  if (name.empty()) return s3_error{400, "MissingAction", "The request must contain the parameter Action."};
  const auto* const found = find_action(name);
  if (found == nullptr || query.text("Version") != iam_version)
    return s3_error{400, "InvalidAction",
                    "Could not find operation " + name + " for version " + query.text("Version") + "."};
  if (auto refused = unknown_parameter(*found, query)) return std::move(*refused);
  if (found->of_caller && query.text(found->subject).empty() && caller != nullptr && !caller->is_role())
    query.set(found->subject, caller->name);
  const bool of_root =
      found->act == action::iam_get_user && caller == nullptr; // without a name: the root key is asked for
  if (!found->subject.empty() && query.text(found->subject).empty() && !of_root)
    return found->of_caller ? validation_error("Must specify userName when calling with non-User credentials")
                            : missing_parameter(found->subject);
  if (!found->other.empty() && query.text(found->other).empty()) return missing_parameter(found->other);
  return found;
}

std::optional<std::string> policy_name_of(std::string_view arn) {
  return name_in(arn, "policy/");
}

std::optional<metadata::identity_query> subject_of(const iam_action& action, const iam_query& query) {
  metadata::identity_query wanted;
  const auto given = query.text(action.subject);
  if (action.creates() || given.empty()) return std::nullopt;
  if (action.subject == policy_arn) {
    wanted.kind = identity_kind::policy;
    wanted.name = policy_name_of(given).value_or("-"); // of another account: there is none
  } else if (action.subject == group_name) {
    wanted.kind = identity_kind::group;
    wanted.name = given;
  } else if (action.subject == role_name) {
    wanted.kind = identity_kind::role;
    wanted.name = given;
  } else if (action.subject == provider_arn) {
    wanted.kind = identity_kind::provider;
    wanted.name = provider_name_in(action, query);
    if (wanted.name.empty()) wanted.name = "-";
  } else if (action.subject == "AccessKeyId") {
    wanted.access_key = given;
  } else {
    wanted.name = action.subject == "PolicySourceArn" ? name_in(given, "user/").value_or("-") : given;
  }
  return wanted;
}

const metadata::identity_page* found_subject(const iam_action& action, const iam_query& query,
                                             const metadata::identity_page& page) {
  if (page.users.empty() && page.groups.empty() && page.roles.empty() && page.policies.empty() &&
      page.providers.empty())
    return nullptr;
  const bool by_arn =
      action.subject == policy_arn || action.subject == provider_arn || action.subject == "PolicySourceArn";
  if (!by_arn) return &page;
  const auto row = action.subject == policy_arn     ? metadata::resource_of(page.policies.front())
                   : action.subject == provider_arn ? metadata::resource_of(page.providers.front())
                                                    : metadata::resource_of(page.users.front());
  return own_resource(query.text(action.subject)) == row ? &page : nullptr;
}

std::string resource_of(const iam_action& action, const iam_query& query, const metadata::identity_page* found) {
  const auto name = query.text(action.subject);
  if (policy::is_of_providers(action.act)) return "oidc-provider/" + provider_name_in(action, query);
  if (action.creates()) {
    const std::string kind = action.subject == user_name    ? "user"
                             : action.subject == group_name ? "group"
                             : action.subject == role_name  ? "role"
                                                            : "policy";
    return kind + path_or(query, "Path") + name;
  }
  if (action.subject == policy_arn)
    return found != nullptr ? metadata::resource_of(found->policies.front())
                            : std::string{own_resource(name).value_or("")};
  if (action.subject == group_name)
    return found != nullptr ? metadata::resource_of(found->groups.front()) : "group/" + name;
  if (action.subject == role_name)
    return found != nullptr ? metadata::resource_of(found->roles.front()) : "role/" + name;
  if (!action.subject.empty()) return found != nullptr ? metadata::resource_of(found->users.front()) : "user/" + name;
  switch (action.act) {
    case action::iam_list_groups: return "group" + path_or(query, "PathPrefix");
    case action::iam_list_roles: return "role" + path_or(query, "PathPrefix");
    case action::iam_list_policies: return "policy" + path_or(query, "PathPrefix");
    default: return "user" + path_or(query, "PathPrefix");
  }
}

std::variant<metadata::change_identity, s3_error> read_change(const iam_action& action, const iam_query& query) {
  metadata::change_identity c{.what = action.act};
  if (policy::is_of_providers(action.act)) {
    if (auto refused = take_provider(action, query, c)) return std::move(*refused);
    c.tags = tags_in(query);
    return c;
  }
  if (auto refused = take_names(action, query, c)) return std::move(*refused);
  c.path = path_or(query, action.act == action::iam_update_user ? "NewPath" : "Path");
  c.description = query.text("Description");
  const bool trusts = action.act == action::iam_update_assume_role_policy || action.other == trust_document;
  if (trusts || action.other == "PolicyDocument" || is_word_of(action.also, "PolicyDocument")) {
    const auto parameter = action.other == trust_document ? trust_document : std::string_view{"PolicyDocument"};
    const auto of = trusts ? policy::owner_kind::trust : policy::owner_kind::identity;
    if (auto refused = take_document(query, parameter, of, c.text)) return std::move(*refused);
  }
  if (action.other == "VersionId") {
    const auto number = version_number(query.text("VersionId"));
    if (!number) return validation_error("VersionId is written as v1.");
    c.version = *number;
  }
  c.tags = tags_in(query);
  switch (action.act) {
    case action::iam_update_user:
      c.other = query.text("NewUserName");
      c.on = query.find("NewPath") != nullptr;
      break;
    case action::iam_create_access_key:
      if (auto refused = take_known_key(query, c)) return std::move(*refused);
      break;
    case action::iam_create_role:
      if (auto refused = take_session_time(query, metadata::role_session_seconds_least, c.version))
        return std::move(*refused);
      break;
    case action::iam_update_role:
      c.on = query.find("Description") != nullptr;
      if (auto refused = take_session_time(query, 0, c.version)) return std::move(*refused);
      break;
    case action::iam_create_policy_version: c.on = query.flag("SetAsDefault"); break;
    case action::iam_update_access_key:
      c.on = query.text("Status") == "Active";
      if (!c.on && query.text("Status") != "Inactive") return validation_error("Status is Active or Inactive.");
      break;
    default: break;
  }
  return c;
}

} // namespace cairn::net
