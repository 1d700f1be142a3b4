#include "cli/admin/identity_command.hpp"

#include "base/json.hpp"
#include "base/text_table.hpp"
#include "cli/admin/quota_command.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/iam_client.hpp"
#include "cli/client/object_path.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>

namespace cairn::cli {

namespace {

// What a verb's argument or option becomes in the request.
enum class value_kind : std::uint8_t {
  text,
  policy,
  role,
  provider,
  file,
  texts,
  pairs
}; // the last two: between commas
struct argument {
  const char *name, *parameter, *help;
  value_kind kind = value_kind::text;
};

// A row of the table of verbs: a command line, the action it asks for, and what of its answer is shown.
struct verb {
  const char *name, *action, *help;
  std::span<const argument> arguments, options{};
  const char* fixed = "";                 // a further parameter, "Status=Active"
  const char* list = "";                  // the element of the answer that has the members
  std::span<const char* const> columns{}; // of a list: what is shown of each member; none: its text
};

constexpr argument user_name[] = {{"NAME", "UserName", "The user"}};
constexpr argument group_name[] = {{"NAME", "GroupName", "The group"}};
constexpr argument policy_arn[] = {
    {"NAME", "PolicyArn", "The policy's name, with its path, or its ARN", value_kind::policy}};
constexpr argument user_and_policy[] = {{"NAME", "UserName", "The user"},
                                        {"POLICY", "PolicyArn", "The managed policy", value_kind::policy}};
constexpr argument group_and_policy[] = {{"NAME", "GroupName", "The group"},
                                         {"POLICY", "PolicyArn", "The managed policy", value_kind::policy}};
constexpr argument user_and_inline[] = {{"NAME", "UserName", "The user"},
                                        {"POLICY", "PolicyName", "The inline policy"}};
constexpr argument group_and_inline[] = {{"NAME", "GroupName", "The group"},
                                         {"POLICY", "PolicyName", "The inline policy"}};
constexpr argument user_and_document[] = {{"NAME", "UserName", "The user"},
                                          {"POLICY", "PolicyName", "The inline policy"},
                                          {"FILE", "PolicyDocument", "The policy, JSON", value_kind::file}};
constexpr argument group_and_document[] = {{"NAME", "GroupName", "The group"},
                                           {"POLICY", "PolicyName", "The inline policy"},
                                           {"FILE", "PolicyDocument", "The policy, JSON", value_kind::file}};
constexpr argument user_and_key[] = {{"NAME", "UserName", "The user"}, {"KEY", "AccessKeyId", "The access key"}};
constexpr argument user_and_new_name[] = {{"NAME", "UserName", "The user"}, {"NEW", "NewUserName", "Its new name"}};
constexpr argument group_and_user[] = {{"NAME", "GroupName", "The group"}, {"USER", "UserName", "The user"}};
constexpr argument new_policy[] = {{"NAME", "PolicyName", "The policy"},
                                   {"FILE", "PolicyDocument", "The policy, JSON", value_kind::file}};
constexpr argument policy_and_document[] = {{"NAME", "PolicyArn", "The policy", value_kind::policy},
                                            {"FILE", "PolicyDocument", "The policy, JSON", value_kind::file}};
constexpr argument policy_and_version[] = {{"NAME", "PolicyArn", "The policy", value_kind::policy},
                                           {"VERSION", "VersionId", "As `cairn policy versions` shows it: v2"}};
constexpr argument role_name[] = {{"NAME", "RoleName", "The role"}};
constexpr argument new_role[] = {
    {"NAME", "RoleName", "The role"},
    {"FILE", "AssumeRolePolicyDocument", "The trust policy, JSON: who may assume the role", value_kind::file}};
constexpr argument role_and_trust[] = {{"NAME", "RoleName", "The role"},
                                       {"FILE", "PolicyDocument", "The trust policy, JSON", value_kind::file}};
constexpr argument role_and_policy[] = {{"NAME", "RoleName", "The role"},
                                        {"POLICY", "PolicyArn", "The managed policy", value_kind::policy}};
constexpr argument role_and_inline[] = {{"NAME", "RoleName", "The role"},
                                        {"POLICY", "PolicyName", "The inline policy"}};
constexpr argument role_and_document[] = {{"NAME", "RoleName", "The role"},
                                          {"POLICY", "PolicyName", "The inline policy"},
                                          {"FILE", "PolicyDocument", "The policy, JSON", value_kind::file}};
constexpr argument role_and_session[] = {
    {"ROLE", "RoleArn", "The role's name, with its path, or its ARN", value_kind::role},
    {"SESSION", "RoleSessionName", "A name that logs and policies show"}};
constexpr argument with_role_options[] = {{"--path", "Path", "/division/team/"},
                                          {"--description", "Description", "For people"},
                                          {"--session-max", "MaxSessionDuration", "Seconds, 3600 to 43200"}};
constexpr argument with_role_changes[] = {{"--description", "Description", "For people"},
                                          {"--session-max", "MaxSessionDuration", "Seconds, 3600 to 43200"}};
constexpr const char* web_identity_token = "WebIdentityToken";
constexpr argument with_session_options[] = {
    {"--seconds", "DurationSeconds", "How long the credentials hold, from 900 on"},
    {"--external-id", "ExternalId", "What the trust policy may ask for"},
    {"--tags", "Tags", "Session tags: team=blue,stage=test", value_kind::pairs},
    {"--transitive-tags", "TransitiveTagKeys", "Those that further roles of the session get, too: team,stage",
     value_kind::texts},
    {"--policy", "Policy", "A session policy, JSON", value_kind::file},
    {"--web-identity-token", web_identity_token, "A token of an OpenID Connect issuer, instead of an access key",
     value_kind::file}};
constexpr argument provider_arn[] = {{"NAME", "OpenIDConnectProviderArn",
                                      "The provider: HOST/PATH, its URL without https://, or its ARN",
                                      value_kind::provider}};
constexpr argument provider_url[] = {{"URL", "Url", "The issuer's URL, as its tokens name it in `iss`"}};
constexpr argument provider_and_client[] = {{"NAME", "OpenIDConnectProviderArn", "The provider", value_kind::provider},
                                            {"CLIENT", "ClientID", "An audience, as tokens name it in `aud`"}};
constexpr argument provider_and_thumbprints[] = {
    {"NAME", "OpenIDConnectProviderArn", "The provider", value_kind::provider},
    {"THUMBPRINTS", "ThumbprintList", "SHA-1 of certificates in hexadecimal, between commas", value_kind::texts}};
constexpr argument with_clients[] = {
    {"--client-ids", "ClientIDList", "Audiences for which its tokens are let in: cairn,other", value_kind::texts},
    {"--thumbprints", "ThumbprintList",
     "SHA-1 of certificates, in hexadecimal, that are trusted beside those of the system", value_kind::texts}};
constexpr argument with_path[] = {{"--path", "Path", "/division/team/"}};
constexpr argument with_path_prefix[] = {{"--path-prefix", "PathPrefix", "Only those below this path"}};
constexpr argument with_description[] = {{"--path", "Path", "/division/team/"},
                                         {"--description", "Description", "For people"}};

constexpr const char* user_columns[] = {"UserName", "Path", "UserId", "CreateDate"};
constexpr const char* group_columns[] = {"GroupName", "Path", "GroupId", "CreateDate"};
constexpr const char* role_columns[] = {"RoleName", "Path", "RoleId", "MaxSessionDuration", "CreateDate"};
constexpr const char* policy_columns[] = {"PolicyName", "Path", "DefaultVersionId", "AttachmentCount", "UpdateDate"};
constexpr const char* key_columns[] = {"AccessKeyId", "Status", "CreateDate"};
constexpr const char* attached_columns[] = {"PolicyName", "PolicyArn"};
constexpr const char* provider_columns[] = {"Arn"};
constexpr const char* version_columns[] = {"VersionId", "IsDefaultVersion", "CreateDate"};

constexpr verb user_verbs[] = {
    {"create", "CreateUser", "Make a user, without keys and policies", user_name, with_path},
    {"list", "ListUsers", "Show the users", {}, with_path_prefix, "", "Users", user_columns},
    {"show", "GetUser", "Show a user", user_name},
    {"rename", "UpdateUser", "Give a user another name; its keys stay with it", user_and_new_name},
    {"delete", "DeleteUser", "Delete a user that has no keys, groups and policies any more", user_name},
    {"create-key", "CreateAccessKey", "Make an access key of a user and show its secret, this once", user_name},
    {"keys", "ListAccessKeys", "Show a user's access keys", user_name, {}, "", "AccessKeyMetadata", key_columns},
    {"enable-key", "UpdateAccessKey", "Let a key sign requests again", user_and_key, {}, "Status=Active"},
    {"disable-key", "UpdateAccessKey", "Let a key sign nothing", user_and_key, {}, "Status=Inactive"},
    {"delete-key", "DeleteAccessKey", "Delete a user's access key", user_and_key},
    {"groups", "ListGroupsForUser", "Show the groups of a user", user_name, {}, "", "Groups", group_columns},
    {"attach", "AttachUserPolicy", "Attach a managed policy", user_and_policy},
    {"detach", "DetachUserPolicy", "Detach a managed policy", user_and_policy},
    {"attached",
     "ListAttachedUserPolicies",
     "Show the attached policies",
     user_name,
     {},
     "",
     "AttachedPolicies",
     attached_columns},
    {"put-policy", "PutUserPolicy", "Put an inline policy", user_and_document},
    {"policies", "ListUserPolicies", "Show the names of the inline policies", user_name, {}, "", "PolicyNames"},
    {"show-policy", "GetUserPolicy", "Show an inline policy", user_and_inline},
    {"delete-policy", "DeleteUserPolicy", "Delete an inline policy", user_and_inline},
};

constexpr verb group_verbs[] = {
    {"create", "CreateGroup", "Make a group, without members and policies", group_name, with_path},
    {"list", "ListGroups", "Show the groups", {}, with_path_prefix, "", "Groups", group_columns},
    {"members", "GetGroup", "Show the users in a group", group_name, {}, "", "Users", user_columns},
    {"delete", "DeleteGroup", "Delete a group that has no members and policies any more", group_name},
    {"add", "AddUserToGroup", "Put a user into a group", group_and_user},
    {"remove", "RemoveUserFromGroup", "Take a user out of a group", group_and_user},
    {"attach", "AttachGroupPolicy", "Attach a managed policy", group_and_policy},
    {"detach", "DetachGroupPolicy", "Detach a managed policy", group_and_policy},
    {"attached",
     "ListAttachedGroupPolicies",
     "Show the attached policies",
     group_name,
     {},
     "",
     "AttachedPolicies",
     attached_columns},
    {"put-policy", "PutGroupPolicy", "Put an inline policy", group_and_document},
    {"policies", "ListGroupPolicies", "Show the names of the inline policies", group_name, {}, "", "PolicyNames"},
    {"show-policy", "GetGroupPolicy", "Show an inline policy", group_and_inline},
    {"delete-policy", "DeleteGroupPolicy", "Delete an inline policy", group_and_inline},
};

constexpr verb role_verbs[] = {
    {"create", "CreateRole", "Make a role, without policies", new_role, with_role_options},
    {"list", "ListRoles", "Show the roles", {}, with_path_prefix, "", "Roles", role_columns},
    {"show", "GetRole", "Show a role and its trust policy", role_name},
    {"update", "UpdateRole", "Change a role's description or longest session", role_name, with_role_changes},
    {"trust", "UpdateAssumeRolePolicy", "Put another trust policy", role_and_trust},
    {"assume", "AssumeRole", "Show temporary credentials of a role", role_and_session, with_session_options},
    {"delete", "DeleteRole", "Delete a role that has no policies any more", role_name},
    {"attach", "AttachRolePolicy", "Attach a managed policy", role_and_policy},
    {"detach", "DetachRolePolicy", "Detach a managed policy", role_and_policy},
    {"attached",
     "ListAttachedRolePolicies",
     "Show the attached policies",
     role_name,
     {},
     "",
     "AttachedPolicies",
     attached_columns},
    {"put-policy", "PutRolePolicy", "Put an inline policy", role_and_document},
    {"policies", "ListRolePolicies", "Show the names of the inline policies", role_name, {}, "", "PolicyNames"},
    {"show-policy", "GetRolePolicy", "Show an inline policy", role_and_inline},
    {"delete-policy", "DeleteRolePolicy", "Delete an inline policy", role_and_inline},
};

constexpr verb provider_verbs[] = {
    {"create", "CreateOpenIDConnectProvider", "Trust an issuer of web identities", provider_url, with_clients},
    {"list",
     "ListOpenIDConnectProviders",
     "Show the providers",
     {},
     {},
     "",
     "OpenIDConnectProviderList",
     provider_columns},
    {"show", "GetOpenIDConnectProvider", "Show a provider", provider_arn},
    {"add-client", "AddClientIDToOpenIDConnectProvider", "Let tokens for a further audience in", provider_and_client},
    {"remove-client", "RemoveClientIDFromOpenIDConnectProvider", "Let tokens for an audience in no more",
     provider_and_client},
    {"thumbprints", "UpdateOpenIDConnectProviderThumbprint", "Put other thumbprints in place of the present ones",
     provider_and_thumbprints},
    {"delete", "DeleteOpenIDConnectProvider", "Let no token of the issuer in any more", provider_arn},
};

constexpr verb policy_verbs[] = {
    {"create", "CreatePolicy", "Make a managed policy, which users and groups can be given", new_policy,
     with_description},
    {"list", "ListPolicies", "Show the managed policies", {}, with_path_prefix, "", "Policies", policy_columns},
    {"show", "GetPolicy", "Show a managed policy, without its document", policy_arn},
    {"update",
     "CreatePolicyVersion",
     "Put a new version of a managed policy in force",
     policy_and_document,
     {},
     "SetAsDefault=true"},
    {"versions",
     "ListPolicyVersions",
     "Show the versions of a managed policy",
     policy_arn,
     {},
     "",
     "Versions",
     version_columns},
    {"show-version", "GetPolicyVersion", "Show a version's document", policy_and_version},
    {"use-version", "SetDefaultPolicyVersion", "Put a version in force", policy_and_version},
    {"delete-version", "DeletePolicyVersion", "Delete a version that is not in force", policy_and_version},
    {"delete", "DeletePolicy", "Delete a managed policy that is attached to nobody", policy_arn},
};

struct identity_options {
  std::shared_ptr<s3_endpoint> endpoint;
  std::vector<std::string> values; // of the arguments, then of the options
  bool json = false;
};

result<std::string> read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (!file.good() && !file.eof()) return system_failure("reading " + path);
  return text;
}

result<std::string> value_of(const argument& of, const std::string& given) {
  if (of.kind == value_kind::file) return read_file(given);
  if (of.kind == value_kind::text || given.starts_with("arn:")) return given;
  const std::string kind = of.kind == value_kind::role       ? "arn:aws:iam:::role/"
                           : of.kind == value_kind::provider ? "arn:aws:iam:::oidc-provider/"
                                                             : "arn:aws:iam:::policy/";
  return kind + (given.starts_with('/') ? given.substr(1) : given);
}

// "team=blue,stage=test" as the parameters of a list.
void add_list(iam_parameters& to, const argument& of, std::string_view given) {
  for (std::size_t number = 1; !given.empty(); ++number) {
    const auto one = given.substr(0, given.find(','));
    given.remove_prefix(std::min(one.size() + 1, given.size()));
    const auto name = std::string{of.parameter} + ".member." + std::to_string(number);
    const auto equals = std::min(one.find('='), one.size());
    if (of.kind == value_kind::texts) {
      to.emplace_back(name, one);
    } else {
      to.emplace_back(name + ".Key", one.substr(0, equals));
      to.emplace_back(name + ".Value", one.substr(std::min(equals + 1, one.size())));
    }
  }
}

result<iam_parameters> parameters_of(const verb& of, const identity_options& options) {
  iam_parameters all;
  std::size_t next = 0;
  for (const auto list : {of.arguments, of.options})
    for (const auto& one : list) {
      const auto& given = options.values[next++];
      if (given.empty()) continue;
      if (one.kind == value_kind::texts || one.kind == value_kind::pairs) {
        add_list(all, one, given);
        continue;
      }
      auto value = value_of(one, given);
      if (!value) return value.error();
      if (one.parameter == std::string_view{web_identity_token}) // an editor's or echo's end of the line
        value->erase(value->find_last_not_of("\r\n") + 1);
      all.emplace_back(one.parameter, std::move(*value));
    }
  const std::string_view fixed{of.fixed};
  if (!fixed.empty()) all.emplace_back(fixed.substr(0, fixed.find('=')), fixed.substr(fixed.find('=') + 1));
  return all;
}

json_value json_of(const net::xml_element& element) {
  if (element.children.empty()) return json_value(element.text);
  if (element.children.front().name == "member") {
    json_array all;
    for (const auto& one : element.children) all.push_back(json_of(one));
    return all;
  }
  json_object object;
  for (const auto& one : element.children) object[one.name] = json_of(one);
  return object;
}

std::string table_of(const std::vector<net::xml_element>& members, std::span<const char* const> columns) {
  std::vector<table_row> rows;
  if (!columns.empty()) rows.emplace_back(columns.begin(), columns.end());
  for (const auto& member : members) {
    auto& row = rows.emplace_back();
    if (columns.empty()) row.push_back(member.text);
    for (const auto* column : columns) row.emplace_back(member.text_of(column));
  }
  return text_table(rows, further_columns::left);
}

// One line a member; a document is written as it was put.
std::string lines_of(const net::xml_element& element) {
  std::string out;
  for (const auto& one : element.children) {
    if (one.name.ends_with("Document"))
      out += percent_decode(one.text) + "\n";
    else if (!one.children.empty())
      out += lines_of(one);
    else
      out += one.name + ": " + one.text + "\n";
  }
  return out;
}

result<void> run(const verb& of, const identity_options& options) {
  const auto all = parameters_of(of, options);
  if (!all) return all.error();
  auto endpoint = *options.endpoint;
  const bool with_token =
      std::any_of(all->begin(), all->end(), [](const auto& p) { return p.first == web_identity_token; });
  const auto action = std::string{of.action} + (with_token ? "WithWebIdentity" : "");
  if (with_token) endpoint.access_key.clear(); // the token stands for a signature
  endpoint.service = is_of_sts(of.action) ? "sts" : "iam";
  const auto client = client_for(endpoint);
  if (!client) return client.error();
  if (*of.list == 0) {
    const auto answer = ask_iam(**client, action, *all);
    if (!answer) return answer.error();
    if (!options.json) return show_answer(lines_of(*answer), false);
    return show_answer(json_text(answer->children.empty() ? json_value(json_object{}) : json_of(*answer)) + "\n", true);
  }
  const auto members = list_iam(**client, of.action, *all, of.list);
  if (!members) return members.error();
  if (!options.json) return show_answer(table_of(*members, of.columns), false);
  json_array found;
  for (const auto& one : *members) found.push_back(json_of(one));
  return show_answer(json_text(found) + "\n", true);
}

void add_verbs(CLI::App& to, std::span<const verb> verbs, int& exit_code) {
  for (const auto& one : verbs) {
    auto* const command = to.add_subcommand(one.name, one.help);
    auto options = std::make_shared<identity_options>();
    options->endpoint = add_endpoint_option(*command);
    options->values.resize(one.arguments.size() + one.options.size());
    std::size_t next = 0;
    for (const auto& a : one.arguments) command->add_option(a.name, options->values[next++], a.help)->required();
    for (const auto& a : one.options) command->add_option(a.name, options->values[next++], a.help);
    command->add_flag("--json", options->json, "One JSON value, for scripts");
    command->callback([&one, options, &exit_code] { run_command(exit_code, [&] { return run(one, *options); }); });
  }
}

} // namespace

void add_user_command(CLI::App& app, int& exit_code) {
  auto* const user = app.add_subcommand("user", "Users: who has which access keys and policies\n\n"
                                                "Example: cairn user create ann && cairn user attach ann read-only");
  user->require_subcommand(1);
  add_verbs(*user, user_verbs, exit_code);
  add_usage_command(*user, user_quotas,
                    "Show what the buckets of users hold together, and the users' quotas, by the admin port\n\n"
                    "Example: cairn user usage ann --json",
                    exit_code);
  add_quota_command(*user, user_quotas,
                    "Limit what all buckets of a user may hold together, or show it, by the admin port\n\n"
                    "Example: cairn user quota ann --bytes 100GiB --objects 1000000",
                    exit_code);
}

void add_group_command(CLI::App& app, int& exit_code) {
  auto* const group = app.add_subcommand("group", "Groups of users, which have the policies of their groups");
  group->require_subcommand(1);
  add_verbs(*group, group_verbs, exit_code);
}

void add_role_command(CLI::App& app, int& exit_code) {
  auto* const role = app.add_subcommand("role", "Roles, which users assume for a time\n\n"
                                                "Example: cairn role create backup trust.json && cairn role attach "
                                                "backup read-only");
  role->require_subcommand(1);
  add_verbs(*role, role_verbs, exit_code);
}

void add_provider_command(CLI::App& app, int& exit_code) {
  auto* const provider =
      app.add_subcommand("oidc-provider", "Issuers of web identities (OpenID Connect), whose tokens assume roles\n\n"
                                          "Example: cairn oidc-provider create https://idp.example.org/team "
                                          "--client-ids cairn");
  provider->require_subcommand(1);
  add_verbs(*provider, provider_verbs, exit_code);
}

void add_managed_policy_commands(CLI::App& policy, int& exit_code) {
  add_verbs(policy, policy_verbs, exit_code);
}

} // namespace cairn::cli
