#include "storage/metadata/apply/identities.hpp"

#include "storage/metadata/rows/names.hpp"
#include "storage/policy/policy.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

using policy::action;

error missing(std::string_view what, std::string_view name) {
  return {errc::no_such_identity, "The " + std::string{what} + " with name " + std::string{name} + " cannot be found."};
}
error taken(std::string_view what, std::string_view name) {
  return {errc::identity_exists, std::string{what} + " with name " + std::string{name} + " already exists."};
}
error in_use(std::string_view first) {
  return {errc::identity_in_use, "Cannot delete entity, must " + std::string{first} + " first."};
}
error above(std::string_view quota, std::size_t limit) {
  return {errc::too_large, "Cannot exceed quota for " + std::string{quota} + ": " + std::to_string(limit)};
}
error invalid(std::string text) {
  return {errc::invalid_argument, std::move(text)};
}

template <class List, class Value>
auto place_in(List& list, const Value& value) {
  return std::lower_bound(list.begin(), list.end(), value);
}
template <class List>
bool insert_sorted(List& list, const std::string& value) {
  const auto at = place_in(list, value);
  if (at != list.end() && *at == value) return false;
  list.insert(at, value);
  return true;
}

std::optional<error> bad_document(std::string_view text, policy::owner_kind of = policy::owner_kind::identity) {
  const auto compiled = policy::policy::compile(text, of);
  return compiled ? std::nullopt : std::optional{compiled.error()};
}

std::optional<error> bad_managed_document(std::string_view text) {
  if (auto bad = bad_document(text)) return bad;
  if (text.size() > managed_policy_bytes_max) return above("PolicySize", managed_policy_bytes_max);
  return std::nullopt;
}

std::optional<error> bad_trust(std::string_view text) {
  if (auto bad = bad_document(text, policy::owner_kind::trust)) return bad;
  if (text.size() > trust_policy_bytes_max) return above("ACLSizePerRole", trust_policy_bytes_max);
  return std::nullopt;
}

std::optional<error> bad_names(const change_identity& c, std::size_t name_bytes_max) {
  if (!valid_identity_name(c.name, name_bytes_max)) return invalid("not a valid name");
  if (!valid_identity_path(c.path)) return invalid("not a valid path");
  if (c.id.empty() || c.id.size() > identity_id_bytes_max) return invalid("not a valid id");
  return std::nullopt;
}

bool valid_tag_text(std::string_view text, std::size_t bytes_max) {
  return text.size() <= bytes_max && valid_utf8(text) && text.find('\0') == text.npos;
}

std::optional<error> still_holds(const held_policies& p) {
  if (!p.attached.empty()) return in_use("detach all policies");
  if (!p.own.empty()) return in_use("delete policies");
  return std::nullopt;
}

template <class Row>
constexpr std::size_t inline_bytes_max = user_policy_bytes_max;
template <>
constexpr std::size_t inline_bytes_max<group_row> = group_policy_bytes_max;
template <>
constexpr std::size_t inline_bytes_max<role_row> = role_policy_bytes_max;

std::optional<error> put_inline(held_policies& p, const change_identity& c, std::size_t bytes_max) {
  if (!valid_identity_name(c.other)) return invalid("not a valid name of a policy");
  if (auto bad = bad_document(c.text)) return bad;
  auto at = std::lower_bound(p.own.begin(), p.own.end(), c.other,
                             [](const named_policy& one, const std::string& name) { return one.name < name; });
  if (at == p.own.end() || at->name != c.other) at = p.own.insert(at, {c.other, {}});
  at->text = c.text;
  if (p.own_bytes() > bytes_max) return above("inline policies, in bytes", bytes_max);
  return std::nullopt;
}

} // namespace

std::optional<error> bad_tags(const policy::tag_pairs& tags) {
  if (tags.size() > user_tags_max) return above("tags", user_tags_max);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const auto& [name, value] = tags[i];
    if (name.empty() || !valid_tag_text(name, tag_name_bytes_max) || !valid_tag_text(value, tag_value_bytes_max))
      return invalid("not a valid tag");
    for (std::size_t j = 0; j < i; ++j)
      if (tags[j].first == name) return invalid("a tag comes twice");
  }
  return std::nullopt;
}

std::optional<error> change_tags(policy::tag_pairs& tags, const change_identity& c, bool adds) {
  for (const auto& [name, value] : c.tags) {
    std::erase_if(tags, [&name = name](const auto& t) { return t.first == name; });
    if (adds) tags.emplace_back(name, value);
  }
  return bad_tags(tags);
}

template <class Row>
std::optional<Row> identity_ledger::load(identity_kind kind, std::string_view name,
                                         result<Row> (*decode)(std::string_view)) {
  if (!valid_identity_name(name)) return std::nullopt; // could exceed the engine's key size
  return b_.load<Row>(table::identities, b_.keys.identity(kind, identity_key(name)), decode);
}
std::optional<user_row> identity_ledger::user(std::string_view name) {
  return load(identity_kind::user, name, decode_user);
}
std::optional<group_row> identity_ledger::group(std::string_view name) {
  return load(identity_kind::group, name, decode_group);
}
std::optional<role_row> identity_ledger::role(std::string_view name) {
  return load(identity_kind::role, name, decode_role);
}
std::optional<policy_row> identity_ledger::managed(std::string_view name) {
  return load(identity_kind::policy, name, decode_managed_policy);
}

void identity_ledger::put(const user_row& row) {
  b_.put_identity(b_.keys.identity(identity_kind::user, identity_key(row.who.name)), encode(row));
}
void identity_ledger::put(const group_row& row) {
  b_.put_identity(b_.keys.identity(identity_kind::group, identity_key(row.name)), encode(row));
}
void identity_ledger::put(const role_row& row) {
  b_.put_identity(b_.keys.identity(identity_kind::role, identity_key(row.who.name)), encode(row));
}
void identity_ledger::put(const policy_row& row) {
  b_.put_identity(b_.keys.identity(identity_kind::policy, identity_key(row.name)), encode(row));
}
void identity_ledger::erase(identity_kind kind, std::string_view name) {
  b_.erase_identity(b_.keys.identity(kind, identity_key(name)));
}

bool identity_ledger::is_full(identity_kind kind, std::size_t rows_max) {
  return b_.count_rows(table::identities, b_.keys.identities(kind)) >= rows_max;
}

std::optional<error> identity_ledger::taken_by_key(const std::string& name) {
  const auto* const key = b_.access_key(name);
  if (key == nullptr || !key->user.empty()) return std::nullopt;
  return error{errc::identity_exists, "An access key has this id: policies of buckets would mean both."};
}

bool identity_ledger::has_user(std::string_view name) {
  const auto row = user(name);
  return row && row->who.name == name;
}

void identity_ledger::forget_key(const access_key_row& key) {
  if (key.user.empty()) return;
  auto row = user(key.user);
  if (!row) return;
  std::erase(row->keys, key.id);
  put(*row);
}

std::optional<error> identity_ledger::lapsed(const change_identity& c, const std::string& resource) {
  return identity_lapsed(c.by, c.what, b_.sender(c.by), resource);
}

std::optional<error> identity_ledger::change(const change_identity& c, std::uint64_t& number) {
  if (policy::is_of_providers(c.what)) return change_provider(c);
  switch (c.what) {
    case action::iam_create_group:
    case action::iam_delete_group:
    case action::iam_add_user_to_group:
    case action::iam_remove_user_from_group:
    case action::iam_put_group_policy:
    case action::iam_delete_group_policy:
    case action::iam_attach_group_policy:
    case action::iam_detach_group_policy: return change_group(c);
    case action::iam_create_policy:
    case action::iam_delete_policy:
    case action::iam_create_policy_version:
    case action::iam_delete_policy_version:
    case action::iam_set_default_policy_version: return change_managed(c, number);
    default: return policy::is_of_sessions(c.what) ? change_role(c) : change_user(c);
  }
}

// ── users ──

std::optional<error> identity_ledger::change_user(const change_identity& c) {
  if (c.what == action::iam_create_user) return create_user(c);
  auto row = user(c.name);
  // Whether somebody may do this is judged first, so that who may not learns nothing.
  if (auto refused = lapsed(c, row ? resource_of(*row) : "user/" + c.name)) return refused;
  if (!row) return missing("user", c.name);
  switch (c.what) {
    case action::iam_update_user: return update(std::move(*row), c);
    case action::iam_tag_user: return tag(std::move(*row), c, true);
    case action::iam_untag_user: return tag(std::move(*row), c, false);
    case action::iam_create_access_key:
    case action::iam_update_access_key:
    case action::iam_delete_access_key: return change_key(std::move(*row), c);
    case action::iam_delete_user: break;
    default: return change_policies(std::move(*row), c);
  }
  if (!row->keys.empty()) return in_use("delete access keys");
  if (!row->groups.empty()) return in_use("remove users from group");
  if (auto holds = still_holds(row->policies)) return holds;
  erase(identity_kind::user, row->who.name);
  b_.usage_rows().drop_quota(row->who.id);
  return std::nullopt;
}

std::optional<error> identity_ledger::create_user(const change_identity& c) {
  user_row row{.who = {.name = c.name, .id = c.id, .path = c.path, .tags = c.tags}, .created = c.now};
  if (auto refused = lapsed(c, resource_of(row))) return refused;
  if (auto bad = bad_names(c, user_name_bytes_max)) return bad;
  if (auto bad = bad_tags(c.tags)) return bad;
  if (user(c.name)) return taken("User", c.name);
  if (auto refused = taken_by_key(c.name)) return refused;
  if (is_full(identity_kind::user, users_max)) return above("UsersPerAccount", users_max);
  put(row);
  return std::nullopt;
}

// `on`: the path is replaced; `other`: the new name, if it is not empty.
std::optional<error> identity_ledger::update(user_row row, const change_identity& c) {
  const auto before = row.who.name;
  if (!c.other.empty()) row.who.name = c.other;
  if (c.on) row.who.path = c.path;
  if (!valid_identity_name(row.who.name, user_name_bytes_max)) return invalid("not a valid name");
  if (!valid_identity_path(row.who.path)) return invalid("not a valid path");
  if (auto refused = lapsed(c, resource_of(row))) return refused;
  const bool is_other = identity_key(before) != identity_key(row.who.name);
  if (is_other && user(row.who.name)) return taken("User", row.who.name);
  if (auto refused = taken_by_key(row.who.name)) return refused;
  if (is_other) erase(identity_kind::user, before);
  put(row);
  for (const auto& id : row.keys) {
    const auto* const present = b_.access_key(id);
    if (present == nullptr) continue;
    auto key = *present;
    key.user = row.who.name;
    b_.put_access_key(key);
  }
  return std::nullopt;
}

template <class Row>
std::optional<error> identity_ledger::tag(Row row, const change_identity& c, bool adds) {
  if (auto bad = change_tags(row.who.tags, c, adds)) return bad;
  put(row);
  return std::nullopt;
}

std::optional<error> identity_ledger::change_key(user_row row, const change_identity& c) {
  if (c.what == action::iam_create_access_key) {
    if (!valid_access_key(c.other) || !valid_secret(c.text, c.on)) return invalid("not a valid access key");
    if (row.keys.size() >= keys_of_user_max) return above("AccessKeysPerUser", keys_of_user_max);
    if (b_.access_key(c.other) != nullptr) return taken("Access key", c.other);
    if (b_.count_rows(table::access_keys, b_.keys.all()) >= access_keys_max)
      return above("AccessKeys", access_keys_max);
    row.keys.push_back(c.other);
    put(row);
    b_.put_access_key({.id = c.other, .secret = c.text, .created = c.now, .user = row.who.name, .sealed = c.on});
    return std::nullopt;
  }
  const auto* const present = b_.access_key(c.other);
  if (present == nullptr || present->user != row.who.name)
    return error{errc::no_such_identity, "The Access Key with id " + c.other + " cannot be found."};
  auto key = *present;
  if (c.what == action::iam_delete_access_key) {
    b_.erase_access_key(key.id);
    forget_key(key);
    return std::nullopt;
  }
  key.active = c.on;
  b_.put_access_key(key);
  return std::nullopt;
}

// ── groups ──

std::optional<error> identity_ledger::change_group(const change_identity& c) {
  if (c.what == action::iam_create_group) return create_group(c);
  auto row = group(c.name);
  if (auto refused = lapsed(c, row ? resource_of(*row) : "group/" + c.name)) return refused;
  if (!row) return missing("group", c.name);
  if (c.what == action::iam_add_user_to_group || c.what == action::iam_remove_user_from_group)
    return change_member(std::move(*row), c);
  if (c.what != action::iam_delete_group) return change_policies(std::move(*row), c);
  if (row->members > 0) return in_use("remove users from group");
  if (auto holds = still_holds(row->policies)) return holds;
  erase(identity_kind::group, row->name);
  return std::nullopt;
}

std::optional<error> identity_ledger::create_group(const change_identity& c) {
  const group_row row{.name = c.name, .id = c.id, .path = c.path, .created = c.now, .policies = {}};
  if (auto refused = lapsed(c, resource_of(row))) return refused;
  if (auto bad = bad_names(c, identity_name_bytes_max)) return bad;
  if (group(c.name)) return taken("Group", c.name);
  if (is_full(identity_kind::group, groups_max)) return above("GroupsPerAccount", groups_max);
  put(row);
  return std::nullopt;
}

std::optional<error> identity_ledger::change_member(group_row row, const change_identity& c) {
  auto member = user(c.other);
  if (!member) return missing("user", c.other);
  if (c.what == action::iam_add_user_to_group) {
    if (!insert_sorted(member->groups, row.name)) return std::nullopt;
    if (member->groups.size() > groups_of_user_max) return above("GroupsPerUser", groups_of_user_max);
    ++row.members;
  } else {
    if (std::erase(member->groups, row.name) == 0)
      return error{errc::no_such_identity, "The user is not in the group."};
    --row.members;
  }
  put(*member);
  put(row);
  return std::nullopt;
}

// ── roles ──

std::optional<error> identity_ledger::change_role(const change_identity& c) {
  if (c.what == action::iam_create_role) return create_role(c);
  auto row = role(c.name);
  if (auto refused = lapsed(c, row ? resource_of(*row) : "role/" + c.name)) return refused;
  if (!row) return missing("role", c.name);
  switch (c.what) {
    case action::iam_update_role:
    case action::iam_update_assume_role_policy: return update_role(std::move(*row), c);
    case action::iam_tag_role: return tag(std::move(*row), c, true);
    case action::iam_untag_role: return tag(std::move(*row), c, false);
    case action::iam_delete_role: break;
    default: return change_policies(std::move(*row), c);
  }
  if (auto holds = still_holds(row->policies)) return holds;
  erase(identity_kind::role, row->who.name);
  return std::nullopt;
}

std::optional<error> identity_ledger::create_role(const change_identity& c) {
  const role_row row{.who = {.name = c.name, .id = c.id, .path = c.path, .tags = c.tags},
                     .created = c.now,
                     .description = c.description,
                     .trust = c.text,
                     .session_seconds_max = c.version};
  if (auto refused = lapsed(c, resource_of(row))) return refused;
  if (auto bad = bad_names(c, user_name_bytes_max)) return bad;
  if (auto bad = bad_tags(c.tags)) return bad;
  if (!valid_tag_text(c.description, policy_description_bytes_max)) return invalid("not a valid description");
  if (!valid_session_time(c.version)) return invalid("not a valid MaxSessionDuration");
  if (auto bad = bad_trust(c.text)) return bad;
  if (role(c.name)) return taken("Role", c.name);
  if (is_full(identity_kind::role, roles_max)) return above("RolesPerAccount", roles_max);
  put(row);
  return std::nullopt;
}

std::optional<error> identity_ledger::update_role(role_row row, const change_identity& c) {
  if (c.version != 0) row.session_seconds_max = c.version;
  if (c.on) row.description = c.description;
  if (c.what == action::iam_update_assume_role_policy) {
    if (auto bad = bad_trust(c.text)) return bad;
    row.trust = c.text;
  }
  if (!valid_session_time(row.session_seconds_max)) return invalid("not a valid MaxSessionDuration");
  if (!valid_tag_text(row.description, policy_description_bytes_max)) return invalid("not a valid description");
  put(row);
  return std::nullopt;
}

// ── policies of users, groups and roles ──

template <class Row>
std::optional<error> identity_ledger::change_policies(Row row, const change_identity& c) {
  switch (c.what) {
    case action::iam_attach_user_policy:
    case action::iam_attach_group_policy:
    case action::iam_attach_role_policy: return attach(std::move(row), c, true);
    case action::iam_detach_user_policy:
    case action::iam_detach_group_policy:
    case action::iam_detach_role_policy: return attach(std::move(row), c, false);
    case action::iam_put_user_policy:
    case action::iam_put_group_policy:
    case action::iam_put_role_policy:
      if (auto refused = put_inline(row.policies, c, inline_bytes_max<Row>)) return refused;
      break;
    case action::iam_delete_user_policy:
    case action::iam_delete_group_policy:
    case action::iam_delete_role_policy:
      if (std::erase_if(row.policies.own, [&c](const named_policy& one) { return one.name == c.other; }) == 0)
        return missing("policy", c.other);
      break;
    default: return invalid("no action that changes something");
  }
  put(row);
  return std::nullopt;
}

template <class Row>
std::optional<error> identity_ledger::attach(Row row, const change_identity& c, bool attaches) {
  auto to = managed(c.other);
  if (!to) return missing("policy", c.other);
  auto& attached = row.policies.attached;
  if (attaches) {
    if (!insert_sorted(attached, to->name)) return std::nullopt;
    if (attached.size() > attached_policies_max) return above("attached policies", attached_policies_max);
    ++to->attachments;
  } else {
    if (std::erase(attached, to->name) == 0) return missing("attached policy", c.other);
    --to->attachments;
  }
  put(row);
  put(*to);
  return std::nullopt;
}

// ── managed policies ──

std::optional<error> identity_ledger::change_managed(const change_identity& c, std::uint64_t& number) {
  if (c.what == action::iam_create_policy) return create_managed(c);
  auto row = managed(c.name);
  if (auto refused = lapsed(c, row ? resource_of(*row) : "policy/" + c.name)) return refused;
  if (!row) return missing("policy", c.name);
  if (c.what == action::iam_create_policy_version) return add_version(std::move(*row), c, number);
  if (c.what != action::iam_delete_policy) return change_version(std::move(*row), c);
  if (row->attachments > 0) return error{errc::identity_in_use, "Cannot delete a policy attached to entities."};
  if (row->versions.size() > 1)
    return error{errc::identity_in_use,
                 "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                 "versions. The default version is deleted with the policy."};
  erase(identity_kind::policy, row->name);
  return std::nullopt;
}

std::optional<error> identity_ledger::create_managed(const change_identity& c) {
  const policy_row row{.name = c.name,
                       .id = c.id,
                       .path = c.path,
                       .description = c.description,
                       .created = c.now,
                       .updated = c.now,
                       .default_version = 1,
                       .last_version = 1,
                       .versions = {{1, c.now, c.text}}};
  if (auto refused = lapsed(c, resource_of(row))) return refused;
  if (auto bad = bad_names(c, identity_name_bytes_max)) return bad;
  if (!valid_tag_text(c.description, policy_description_bytes_max)) return invalid("not a valid description");
  if (auto bad = bad_managed_document(c.text)) return bad;
  if (managed(c.name)) return taken("Policy", c.name);
  if (is_full(identity_kind::policy, managed_policies_max)) return above("PoliciesPerAccount", managed_policies_max);
  put(row);
  return std::nullopt;
}

std::optional<error> identity_ledger::add_version(policy_row row, const change_identity& c, std::uint64_t& number) {
  if (auto bad = bad_managed_document(c.text)) return bad;
  if (row.versions.size() >= policy_versions_max)
    return error{errc::too_large, "A managed policy can have up to 5 versions. Before you create a new version, you "
                                  "must delete an existing version."};
  number = ++row.last_version;
  row.versions.push_back({row.last_version, c.now, c.text});
  row.updated = c.now;
  if (c.on) row.default_version = row.last_version;
  put(row);
  return std::nullopt;
}

std::optional<error> identity_ledger::change_version(policy_row row, const change_identity& c) {
  if (row.find(c.version) == nullptr)
    return error{errc::no_such_identity, "The policy has no version v" + std::to_string(c.version) + "."};
  if (c.what == action::iam_set_default_policy_version) {
    row.default_version = c.version;
  } else {
    if (c.version == row.default_version)
      return error{errc::identity_in_use, "Cannot delete the default version of a policy."};
    std::erase_if(row.versions, [&c](const policy_version& v) { return v.number == c.version; });
  }
  row.updated = c.now;
  put(row);
  return std::nullopt;
}

} // namespace cairn::storage::metadata
