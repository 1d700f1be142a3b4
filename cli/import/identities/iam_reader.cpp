#include "cli/import/identities/iam_reader.hpp"

#include "cli/client/iam_client.hpp"
#include "cli/client/object_path.hpp"
#include "cli/transfer/retry.hpp"

#include <algorithm>
#include <map>

namespace cairn::cli {

namespace {

std::string path_of(const net::xml_element& element) {
  const auto path = element.text_of("Path");
  return path.empty() ? "/" : std::string(path);
}

class iam_reader {
public:
  iam_reader(http_client& client, const wanted_identity& wanted) : client_(client), wanted_(wanted) {}

  result<identity_set> read() {
    for (const auto step :
         {&iam_reader::read_groups, &iam_reader::read_users, &iam_reader::read_policies, &iam_reader::read_roles})
      if (auto done = (this->*step)(); !done) return done.error();
    return std::move(set_);
  }

private:
  result<net::xml_element> ask_about(const std::string& action, const iam_parameters& parameters) {
    return with_retries([&] { return ask_iam(client_, action, parameters); });
  }
  result<std::vector<net::xml_element>> list(const std::string& action, const iam_parameters& parameters,
                                             std::string_view element) {
    return with_retries([&] { return list_iam(client_, action, parameters, element); });
  }

  result<void> read_groups() {
    const auto groups = list("ListGroups", {}, "Groups");
    if (!groups) return groups.error();
    for (const auto& one : *groups) {
      group_identity group{std::string(one.text_of("GroupName")), path_of(one)};
      if (!wanted_(group.name)) continue;
      if (auto read = read_policies_of("Group", group.name, group.policies); !read) return read;
      set_.groups.push_back(std::move(group));
    }
    return {};
  }

  result<void> read_users() {
    const auto users = list("ListUsers", {}, "Users");
    if (!users) return users.error();
    for (const auto& one : *users) {
      note_account(one.text_of("Arn"));
      user_identity user{std::string(one.text_of("UserName")), path_of(one)};
      if (!wanted_(user.name)) continue;
      if (auto read = read_user(user); !read) return read;
      set_.users.push_back(std::move(user));
    }
    return {};
  }

  result<void> read_user(user_identity& user) {
    const iam_parameters named{{"UserName", user.name}};
    const auto about = ask_about("GetUser", named);
    if (!about) return about.error();
    if (const auto* const found = about->child("User")) {
      if (const auto* const tags = found->child("Tags"))
        for (const auto& tag : tags->children) user.tags.emplace_back(tag.text_of("Key"), tag.text_of("Value"));
      if (found->child("PermissionsBoundary"))
        user.withheld = "it has a permissions boundary, which Cairn does not have";
    }
    const auto groups = list("ListGroupsForUser", named, "Groups");
    if (!groups) return groups.error();
    for (const auto& group : *groups) user.groups.emplace_back(group.text_of("GroupName"));
    const auto keys = list("ListAccessKeys", named, "AccessKeyMetadata");
    if (!keys) return keys.error();
    for (const auto& key : *keys)
      user.keys.push_back({std::string(key.text_of("AccessKeyId")), {}, key.text_of("Status") == "Active"});
    return read_policies_of("User", user.name, user.policies);
  }

  // `kind`: "User" or "Group".
  result<void> read_policies_of(const std::string& kind, const std::string& name, policies_held& into) {
    const iam_parameters named{{kind + "Name", name}};
    const auto attached = list("ListAttached" + kind + "Policies", named, "AttachedPolicies");
    if (!attached) return attached.error();
    for (const auto& one : *attached) {
      into.attached.emplace_back(one.text_of("PolicyName"));
      arns_.emplace(one.text_of("PolicyArn"), one.text_of("PolicyName"));
    }
    const auto own = list("List" + kind + "Policies", named, "PolicyNames");
    if (!own) return own.error();
    for (const auto& one : *own) {
      auto asked = named;
      asked.emplace_back("PolicyName", one.text);
      const auto policy = ask_about("Get" + kind + "Policy", asked);
      if (!policy) return policy.error();
      into.own.push_back({one.text, percent_decode(policy->text_of("PolicyDocument"))});
    }
    return {};
  }

  result<void> read_policies() {
    const auto listed = list("ListPolicies", {{"Scope", "Local"}}, "Policies");
    if (!listed) return listed.error();
    for (const auto& one : *listed) {
      note_account(one.text_of("Arn"));
      arns_.emplace(one.text_of("Arn"), one.text_of("PolicyName"));
    }
    for (const auto& [arn, name] : arns_)
      if (auto read = read_policy(arn, name); !read) return read;
    return {};
  }

  result<void> read_policy(const std::string& arn, const std::string& name) {
    const bool named_twice =
        std::ranges::any_of(set_.policies, [&name = name](const auto& other) { return other.name == name; });
    if (named_twice) {
      set_.remarks.push_back({"policy " + arn, "another policy has this name"});
      return {};
    }
    const auto about = ask_about("GetPolicy", {{"PolicyArn", arn}});
    if (!about) return about.error();
    const auto* const found = about->child("Policy");
    if (found == nullptr) return error{errc::corrupt, "the answer to GetPolicy has no Policy"};
    const auto version = ask_about(
        "GetPolicyVersion", {{"PolicyArn", arn}, {"VersionId", std::string(found->text_of("DefaultVersionId"))}});
    if (!version) return version.error();
    const auto* const text = version->child("PolicyVersion");
    if (text == nullptr) return error{errc::corrupt, "the answer to GetPolicyVersion has no PolicyVersion"};
    set_.policies.push_back(
        {name, path_of(*found), std::string(found->text_of("Description")), percent_decode(text->text_of("Document"))});
    return {};
  }

  // Not those of services, "/aws-service-role/…": nobody made them.
  result<void> read_roles() {
    const auto roles = list("ListRoles", {}, "Roles");
    if (!roles && roles.error().code == errc::unsupported) return {};
    if (!roles) {
      set_.remarks.push_back({"roles", roles.error().text});
      return {};
    }
    for (const auto& role : *roles)
      if (!role.text_of("Path").starts_with("/aws-service-role/"))
        set_.remarks.push_back({"role " + std::string(role.text_of("RoleName")), "Cairn has no roles"});
    return {};
  }

  // "arn:aws:iam::123456789012:user/ann"
  void note_account(std::string_view arn) {
    constexpr std::string_view prefix = "arn:aws:iam::";
    if (!arn.starts_with(prefix)) return;
    arn.remove_prefix(prefix.size());
    set_.account = arn.substr(0, arn.find(':'));
  }

  http_client& client_;
  const wanted_identity& wanted_;
  identity_set set_;
  std::map<std::string, std::string, std::less<>> arns_; // of policies, with their names
};

} // namespace

result<identity_set> read_identities(http_client& client, const wanted_identity& wanted) {
  return iam_reader(client, wanted).read();
}

} // namespace cairn::cli
