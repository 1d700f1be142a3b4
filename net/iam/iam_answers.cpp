#include "net/iam/iam_answers.hpp"

#include "net/iam/iam_documents.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
using metadata::identity_kind;
using storage::policy::action;

// A page of names in ascending order: those after the marker.
struct name_page {
  std::vector<std::string> names;
  bool truncated = false;
};
std::variant<name_page, s3_error> page_of(const iam_query& query, std::vector<std::string> names) {
  const auto most = query.items_max();
  if (const auto* refused = std::get_if<s3_error>(&most)) return *refused;
  const auto marker = query.text("Marker");
  std::sort(names.begin(), names.end());
  names.erase(names.begin(), std::upper_bound(names.begin(), names.end(), marker));
  const auto items = std::get<std::uint32_t>(most);
  const bool truncated = names.size() > items;
  if (truncated) names.resize(items);
  return name_page{std::move(names), truncated};
}

void end_page(xml_writer& xml, bool truncated, std::string_view marker) {
  write_truth(xml, "IsTruncated", truncated);
  if (truncated) xml.text("Marker", marker);
}

// A list of texts, "<PolicyNames><member>a</member></PolicyNames>", or of what `write` makes of each.
template <class Write>
std::variant<std::string, s3_error> names_answer(const iam_query& query, std::string_view element,
                                                 std::vector<std::string> names, const Write& write) {
  const auto page = page_of(query, std::move(names));
  if (const auto* refused = std::get_if<s3_error>(&page)) return *refused;
  const auto& found = std::get<name_page>(page);
  result_writer xml;
  xml.open(element);
  for (const auto& name : found.names) write(xml, name);
  xml.close(element);
  end_page(xml, found.truncated, found.names.empty() ? std::string_view{} : found.names.back());
  return xml.take();
}

template <class Row, class Write>
void write_members(xml_writer& xml, std::string_view element, const std::vector<Row>& rows, const Write& write) {
  xml.open(element);
  for (const auto& row : rows) {
    xml.open("member");
    write(row);
    xml.close("member");
  }
  xml.close(element);
}

std::string name_of_row(const metadata::user_row& row) {
  return row.who.name;
}
std::string name_of_row(const metadata::role_row& row) {
  return row.who.name;
}
template <class Row>
std::string name_of_row(const Row& row) {
  return row.name;
}

template <class Row>
void end_rows(xml_writer& xml, const std::vector<Row>& rows, bool truncated) {
  end_page(xml, truncated, rows.empty() ? std::string{} : metadata::identity_key(name_of_row(rows.back())));
}

std::variant<std::string, s3_error> attached_answer(const iam_query& query, const metadata::identity_page& subject) {
  std::vector<std::string> names;
  for (const auto& row : subject.policies)
    if (row.path.starts_with(query.text("PathPrefix"))) names.push_back(row.name);
  return names_answer(query, "AttachedPolicies", std::move(names), [&](xml_writer& xml, const std::string& name) {
    const auto row = std::find_if(subject.policies.begin(), subject.policies.end(),
                                  [&name](const metadata::policy_row& p) { return p.name == name; });
    xml.open("member");
    xml.text("PolicyName", name);
    xml.text("PolicyArn", iam_arn_of(metadata::resource_of(*row)));
    xml.close("member");
  });
}

std::variant<std::string, s3_error> inline_names(const iam_query& query, const metadata::held_policies& held) {
  std::vector<std::string> names;
  for (const auto& one : held.own) names.push_back(one.name);
  return names_answer(query, "PolicyNames", std::move(names),
                      [](xml_writer& xml, const std::string& name) { xml.text("member", name); });
}

std::variant<std::string, s3_error> inline_document(const iam_query& query, std::string_view parameter,
                                                    const metadata::held_policies& held) {
  const auto name = query.text("PolicyName");
  for (const auto& one : held.own) {
    if (one.name != name) continue;
    result_writer xml;
    xml.text(parameter, query.text(parameter));
    xml.text("PolicyName", name);
    write_document(xml, "PolicyDocument", one.text);
    return xml.take();
  }
  return no_such_entity("The policy with name " + name + " cannot be found.");
}

std::variant<std::string, s3_error> answer_about_user(const iam_action& action, const iam_query& query,
                                                      const metadata::identity_page& subject) {
  const auto& user = subject.users.front();
  result_writer xml;
  switch (action.act) {
    case action::iam_get_user:
      xml.open("User");
      write_user(xml, user, true);
      xml.close("User");
      return xml.take();
    case action::iam_list_user_tags:
      write_tags(xml, user.who.tags);
      end_page(xml, false, {});
      return xml.take();
    case action::iam_list_groups_for_user:
      return names_answer(query, "Groups", user.groups, [&subject](xml_writer& out, const std::string& name) {
        for (const auto& group : subject.groups) {
          if (group.name != name) continue;
          out.open("member");
          write_group(out, group);
          out.close("member");
        }
      });
    case action::iam_list_access_keys:
      write_members(xml, "AccessKeyMetadata", subject.keys,
                    [&](const metadata::access_key_row& key) { write_access_key(xml, user.who.name, key); });
      end_page(xml, false, {});
      return xml.take();
    case action::iam_get_access_key_last_used: // is not recorded: as of a key that was never used
      xml.text("UserName", user.who.name);
      xml.open("AccessKeyLastUsed");
      xml.text("ServiceName", "N/A");
      xml.text("Region", "N/A");
      xml.close("AccessKeyLastUsed");
      return xml.take();
    case action::iam_list_attached_user_policies: return attached_answer(query, subject);
    case action::iam_list_user_policies: return inline_names(query, user.policies);
    default: return inline_document(query, "UserName", user.policies);
  }
}

std::variant<std::string, s3_error> answer_about_role(const iam_action& action, const iam_query& query,
                                                      const metadata::identity_page& subject) {
  const auto& role = subject.roles.front();
  result_writer xml;
  switch (action.act) {
    case action::iam_get_role:
      xml.open("Role");
      write_role(xml, role, true);
      xml.close("Role");
      return xml.take();
    case action::iam_list_role_tags:
      write_tags(xml, role.who.tags);
      end_page(xml, false, {});
      return xml.take();
    case action::iam_list_attached_role_policies: return attached_answer(query, subject);
    case action::iam_list_role_policies: return inline_names(query, role.policies);
    default: return inline_document(query, "RoleName", role.policies);
  }
}

std::variant<std::string, s3_error> answer_about_group(const iam_action& action, const iam_query& query,
                                                       const metadata::identity_page& subject,
                                                       const std::vector<metadata::identity_page>& listed) {
  const auto& group = subject.groups.front();
  if (action.act == action::iam_list_attached_group_policies) return attached_answer(query, subject);
  if (action.act == action::iam_list_group_policies) return inline_names(query, group.policies);
  if (action.act == action::iam_get_group_policy) return inline_document(query, "GroupName", group.policies);
  const auto& members = listed.front();
  result_writer xml;
  xml.open("Group");
  write_group(xml, group);
  xml.close("Group");
  write_members(xml, "Users", members.users, [&xml](const metadata::user_row& row) { write_user(xml, row, false); });
  end_rows(xml, members.users, members.truncated);
  return xml.take();
}

std::variant<std::string, s3_error> versions_answer(const iam_query& query, const metadata::policy_row& policy) {
  std::vector<std::string> names;
  for (const auto& v : policy.versions) names.push_back(version_id_text(v.number));
  return names_answer(query, "Versions", std::move(names), [&policy](xml_writer& xml, const std::string& name) {
    for (const auto& v : policy.versions) {
      if (version_id_text(v.number) != name) continue;
      xml.open("member");
      write_policy_version(xml, policy, v, false);
      xml.close("member");
    }
  });
}

std::string entities_answer(const std::vector<metadata::identity_page>& listed) {
  result_writer xml;
  metadata::identity_page both;
  for (const auto& page : listed) {
    both.groups.insert(both.groups.end(), page.groups.begin(), page.groups.end());
    both.roles.insert(both.roles.end(), page.roles.begin(), page.roles.end());
    both.users.insert(both.users.end(), page.users.begin(), page.users.end());
    both.truncated = both.truncated || page.truncated;
  }
  write_members(xml, "PolicyGroups", both.groups, [&xml](const metadata::group_row& row) {
    xml.text("GroupName", row.name);
    xml.text("GroupId", row.id);
  });
  write_members(xml, "PolicyUsers", both.users, [&xml](const metadata::user_row& row) {
    xml.text("UserName", row.who.name);
    xml.text("UserId", row.who.id);
  });
  write_members(xml, "PolicyRoles", both.roles, [&xml](const metadata::role_row& row) {
    xml.text("RoleName", row.who.name);
    xml.text("RoleId", row.who.id);
  });
  end_rows(xml, both.users, both.truncated);
  return xml.take();
}

std::variant<std::string, s3_error> answer_about_policy(const iam_action& action, const iam_query& query,
                                                        const metadata::identity_page& subject,
                                                        const std::vector<metadata::identity_page>& listed) {
  const auto& policy = subject.policies.front();
  if (action.act == action::iam_list_policy_versions) return versions_answer(query, policy);
  if (action.act == action::iam_list_entities_for_policy) return entities_answer(listed);
  result_writer xml;
  if (action.act == action::iam_get_policy) {
    xml.open("Policy");
    write_managed_policy(xml, policy, true);
    xml.close("Policy");
    return xml.take();
  }
  for (const auto& v : policy.versions) {
    if (version_id_text(v.number) != query.text("VersionId")) continue;
    xml.open("PolicyVersion");
    write_policy_version(xml, policy, v, true);
    xml.close("PolicyVersion");
    return xml.take();
  }
  return no_such_entity("Policy version " + query.text("VersionId") + " does not exist.");
}

std::string answer_about_provider(const iam_action& action, const metadata::provider_row& row) {
  result_writer xml;
  if (action.act == action::iam_get_open_id_connect_provider) {
    write_provider(xml, row);
  } else {
    write_tags(xml, row.tags);
    end_page(xml, false, {});
  }
  return xml.take();
}

// The root key asks who it is.
std::string root_answer() {
  result_writer xml;
  xml.open("User");
  xml.text("Path", "/");
  xml.text("UserName", "root");
  xml.text("UserId", storage::policy::account_id);
  xml.text("Arn", iam_arn_of("root"));
  xml.text("CreateDate", storage::policy::date_text(0));
  xml.close("User");
  return xml.take();
}

std::string rows_answer(const iam_action& action, const metadata::identity_page& page) {
  result_writer xml;
  if (action.act == action::iam_list_users) {
    write_members(xml, "Users", page.users, [&xml](const metadata::user_row& row) { write_user(xml, row, false); });
    end_rows(xml, page.users, page.truncated);
  } else if (action.act == action::iam_list_roles) {
    write_members(xml, "Roles", page.roles, [&xml](const metadata::role_row& row) { write_role(xml, row, false); });
    end_rows(xml, page.roles, page.truncated);
  } else if (action.act == action::iam_list_groups) {
    write_members(xml, "Groups", page.groups, [&xml](const metadata::group_row& row) { write_group(xml, row); });
    end_rows(xml, page.groups, page.truncated);
  } else if (action.act == action::iam_list_open_id_connect_providers) {
    write_members(xml, "OpenIDConnectProviderList", page.providers, [&xml](const metadata::provider_row& row) {
      xml.text("Arn", iam_arn_of(metadata::resource_of(row)));
    });
  } else {
    write_members(xml, "Policies", page.policies,
                  [&xml](const metadata::policy_row& row) { write_managed_policy(xml, row, false); });
    end_rows(xml, page.policies, page.truncated);
  }
  return xml.take();
}

// Groups and roles are on the first page, users on it and the following ones.
std::vector<metadata::identity_query> entities_of(const iam_query& query, const metadata::identity_query& page,
                                                  const std::string& policy) {
  const auto filter = query.text("EntityFilter");
  std::vector<metadata::identity_query> all;
  auto one = page;
  one.policy = policy;
  if ((filter.empty() || filter == "Group") && page.after.empty()) {
    one.kind = identity_kind::group;
    one.max = metadata::groups_max;
    all.push_back(one);
  }
  if ((filter.empty() || filter == "Role") && page.after.empty()) {
    one.kind = identity_kind::role;
    one.max = metadata::roles_max;
    all.push_back(one);
  }
  one.kind = identity_kind::user;
  one.max = page.max;
  if (filter.empty() || filter == "User") all.push_back(one);
  return all;
}

} // namespace

std::variant<std::vector<metadata::identity_query>, s3_error>
listings_of(const iam_action& action, const iam_query& query, const metadata::identity_page* subject) {
  const auto most = query.items_max();
  if (const auto* refused = std::get_if<s3_error>(&most)) return *refused;
  metadata::identity_query page;
  page.after = metadata::identity_key(query.text("Marker"));
  page.max = std::get<std::uint32_t>(most);
  page.path_prefix = query.text("PathPrefix");
  using queries = std::vector<metadata::identity_query>;
  switch (action.act) {
    case action::iam_list_users: return queries{page};
    case action::iam_list_roles: page.kind = identity_kind::role; return queries{page};
    case action::iam_list_groups: page.kind = identity_kind::group; return queries{page};
    case action::iam_list_open_id_connect_providers:
      page.kind = identity_kind::provider;
      page.max = metadata::providers_max;
      return queries{page};
    case action::iam_list_policies:
      page.kind = identity_kind::policy;
      page.attached = query.flag("OnlyAttached");
      if (query.text("Scope") == "AWS") return queries{}; // there are none of AWS
      return queries{page};
    case action::iam_get_group:
      if (subject == nullptr) return queries{};
      page.group = subject->groups.front().name;
      return queries{page};
    case action::iam_list_entities_for_policy:
      if (subject == nullptr) return queries{};
      return entities_of(query, page, subject->policies.front().name);
    default: return queries{};
  }
}

std::variant<std::string, s3_error> read_answer(const iam_action& action, const iam_query& query,
                                                const metadata::identity_page* subject,
                                                const std::vector<metadata::identity_page>& listed) {
  if (action.subject.empty()) return rows_answer(action, listed.empty() ? metadata::identity_page{} : listed.front());
  if (subject == nullptr && query.text(action.subject).empty()) return root_answer();
  if (subject == nullptr)
    return no_such_entity("There is no " + std::string{action.subject} + " " + query.text(action.subject) + ".");
  if (action.subject == "PolicyArn") return answer_about_policy(action, query, *subject, listed);
  if (action.subject == "GroupName") return answer_about_group(action, query, *subject, listed);
  if (action.subject == "RoleName") return answer_about_role(action, query, *subject);
  if (!subject->providers.empty()) return answer_about_provider(action, subject->providers.front());
  return answer_about_user(action, query, *subject);
}

std::string change_answer(const metadata::change_identity& done, std::uint64_t version) {
  result_writer xml;
  const auto within = [&xml](std::string_view element, const auto& write) {
    xml.open(element);
    write();
    xml.close(element);
    return xml.take();
  };
  switch (done.what) {
    case action::iam_create_user:
      return within("User", [&] {
        write_user(xml, {.who = {done.name, done.id, done.path, done.tags}, .created = done.now}, true);
      });
    case action::iam_create_group:
      return within("Group", [&] {
        write_group(xml, {.name = done.name, .id = done.id, .path = done.path, .created = done.now, .policies = {}});
      });
    case action::iam_create_role:
      return within("Role", [&] {
        metadata::role_row row{.who = {done.name, done.id, done.path, done.tags}, .created = done.now};
        row.trust = done.text;
        row.description = done.description;
        row.session_seconds_max = done.version;
        write_role(xml, row, true);
      });
    case action::iam_create_open_id_connect_provider:
      xml.text("OpenIDConnectProviderArn", storage::policy::provider_arn(done.name));
      if (!done.tags.empty()) write_tags(xml, done.tags);
      return xml.take();
    case action::iam_create_policy:
      return within("Policy", [&] {
        metadata::policy_row row{.name = done.name, .id = done.id, .path = done.path};
        row.created = row.updated = done.now;
        row.default_version = 1;
        write_managed_policy(xml, row, false);
      });
    case action::iam_create_policy_version:
      return within("PolicyVersion", [&] {
        metadata::policy_row row;
        const metadata::policy_version made{static_cast<std::uint32_t>(version), done.now, {}};
        row.default_version = done.on ? made.number : 0;
        write_policy_version(xml, row, made, false);
      });
    case action::iam_create_access_key:
      return within("AccessKey",
                    [&] { write_access_key(xml, done.name, {.id = done.other, .created = done.now}, done.text); });
    default: return {};
  }
}

} // namespace cairn::net
