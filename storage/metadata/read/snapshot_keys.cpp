#include "storage/metadata/read/snapshot.hpp"

#include "base/units.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

// What lists do not show: it can be most of a row, and a page has a thousand of them.
void shorten(user_row& row) {
  row.who.tags.clear();
  row.policies.own.clear();
}
void shorten(group_row& row) {
  row.policies.own.clear();
}
void shorten(role_row& row) {
  row.who.tags.clear();
  row.policies.own.clear();
}
void shorten(policy_row& row) {
  row.versions.clear();
}
void shorten(provider_row& row) {
  row.tags.clear();
}

} // namespace

result<access_key_row> snapshot::access_key(std::string_view id) {
  if (!valid_access_key(id)) return error{errc::no_such_access_key};
  auto row =
      load<access_key_row>(table::access_keys, keys_.access_key(id), decode_access_key, {errc::no_such_access_key});
  if (!row || row->user.empty()) return row;
  auto of_user = read_identity(*kv_, keys_, row->user);
  if (!of_user) return of_user.error();
  row->of_user = std::move(*of_user);
  return row;
}

result<token_keys> snapshot::token_keys_row() {
  const auto bytes = kv_->get(id_of(table::identities), keys_.token_key_list());
  if (bytes) return decode_token_keys(*bytes);
  if (auto good = kv_->status(); !good) return good.error();
  return token_keys{};
}

result<access_key_row> snapshot::temporary_key(std::string_view id, std::string_view token,
                                               const secrets::key_ring* sealing) {
  const error none{errc::no_such_access_key};
  if (!valid_access_key(id)) return none;
  const auto keys = token_keys_row();
  if (!keys) return keys.error();
  auto opened = open_token(*keys, sealing, id, token);
  if (!opened) return opened.error() == errc::secret_sealed ? opened.error() : none;
  auto of = read_identity(*kv_, keys_, std::make_shared<const sts_session>(std::move(opened->session)));
  if (!of) return of.error();
  if (!*of) return none;
  return metadata::temporary_key(std::string{id}, std::move(opened->secret), std::move(*of));
}

result<std::vector<access_key_row>> snapshot::access_keys(std::string_view after, std::size_t max) {
  // Ids have no NUL, so this is the smallest key after `after`.
  const std::string from = after.empty() ? keys_.all() : keys_.access_key(after) + '\0';
  return scan<access_key_row>(table::access_keys, keys_.all(), from, max,
                              [](std::string_view, std::string_view value) { return decode_access_key(value); });
}

result<std::vector<std::string>> snapshot::user_ids() {
  std::vector<std::string> ids;
  const auto prefix = keys_.identities(identity_kind::user);
  const auto cursor = kv_->cursor(id_of(table::identities));
  for (auto found = cursor->seek(prefix); found && found->key.starts_with(prefix); found = cursor->next()) {
    auto user = decode_listed_user(found->value);
    if (!user) return user.error();
    ids.push_back(std::move(user->id));
  }
  if (auto good = kv_->status(); !good) return good.error();
  std::ranges::sort(ids);
  return ids;
}

// Rows of a kind that fit; one more than asked for is read to know whether others follow.
template <class Row, class Fits>
result<void> snapshot::add_identities(const identity_query& query, result<Row> (*decode)(std::string_view),
                                      const Fits& fits, std::vector<Row>& into, bool& truncated) {
  const auto prefix = keys_.identities(query.kind);
  // Names have no NUL, so this is the smallest key after `after`.
  const auto from = query.after.empty() ? prefix : keys_.identity(query.kind, query.after) + '\0';
  const auto cursor = kv_->cursor(id_of(table::identities));
  for (auto found = cursor->seek(from); found && found->key.starts_with(prefix); found = cursor->next()) {
    auto row = decode(found->value);
    if (!row) return row.error();
    if (!fits(*row)) continue;
    if (into.size() == query.max) {
      truncated = true;
      break;
    }
    shorten(*row);
    into.push_back(std::move(*row));
  }
  return kv_->status();
}

template <class Row>
result<void> snapshot::add_row(table t, const std::string& key, result<Row> (*decode)(std::string_view), error missing,
                               std::vector<Row>& into) {
  auto row = load<Row>(t, key, decode, std::move(missing));
  if (!row) return row.error();
  into.push_back(std::move(*row));
  return {};
}

result<void> snapshot::add_attached(const held_policies& held, identity_page& page) {
  for (const auto& name : held.attached) {
    const auto key = keys_.identity(identity_kind::policy, identity_key(name));
    auto added = add_row(table::identities, key, decode_managed_policy,
                         {errc::corrupt, "a policy that is attached does not exist"}, page.policies);
    if (!added) return added;
  }
  return {};
}

// The row of the query's name, with what it refers to.
result<void> snapshot::add_identity(const identity_query& query, identity_page& page) {
  const error missing{errc::no_such_identity};
  if (query.kind == identity_kind::provider) {
    if (!config::is_provider_name(query.name)) return missing;
    return add_row(table::identities, keys_.identity(query.kind, identity_key(query.name)), decode_provider, missing,
                   page.providers);
  }
  if (!valid_identity_name(query.name)) return missing;
  const auto key = keys_.identity(query.kind, identity_key(query.name));
  if (query.kind == identity_kind::role) {
    auto added = add_row(table::identities, key, decode_role, missing, page.roles);
    return added ? add_attached(page.roles.front().policies, page) : added;
  }
  if (query.kind == identity_kind::policy)
    return add_row(table::identities, key, decode_managed_policy, missing, page.policies);
  if (query.kind == identity_kind::group) {
    auto added = add_row(table::identities, key, decode_group, missing, page.groups);
    return added ? add_attached(page.groups.front().policies, page) : added;
  }
  if (auto added = add_row(table::identities, key, decode_user, missing, page.users); !added) return added;
  const auto& user = page.users.front();
  for (const auto& name : user.groups) {
    auto added = add_row(table::identities, keys_.identity(identity_kind::group, identity_key(name)), decode_group,
                         {errc::corrupt, "a group that a user is in does not exist"}, page.groups);
    if (!added) return added;
  }
  for (const auto& id : user.keys) {
    auto added = add_row(table::access_keys, keys_.access_key(id), decode_access_key,
                         {errc::corrupt, "an access key that a user has does not exist"}, page.keys);
    if (!added) return added;
  }
  auto resolved = read_identity(*kv_, keys_, user.who.name);
  if (!resolved) return resolved.error();
  page.resolved = std::move(*resolved);
  return add_attached(user.policies, page);
}

result<identity_page> snapshot::identities(const identity_query& query) {
  identity_page page;
  const auto is_below = [&query](std::string_view path) { return path.starts_with(query.path_prefix); };
  const auto holds = [&query](const held_policies& held) { return query.policy.empty() || held.has(query.policy); };
  result<void> read;
  if (query.kind == identity_kind::bucket_owner) {
    read = add_owners(query, page);
  } else if (!query.name.empty()) {
    read = add_identity(query, page);
  } else if (query.kind == identity_kind::user) {
    const auto fits = [&](const user_row& row) {
      const auto& groups = row.groups;
      const bool is_member = query.group.empty() || std::ranges::find(groups, query.group) != groups.end();
      const auto& keys = row.keys;
      const bool has_key = query.access_key.empty() || std::ranges::find(keys, query.access_key) != keys.end();
      return is_member && has_key && is_below(row.who.path) && holds(row.policies);
    };
    read = add_identities(query, decode_user, fits, page.users, page.truncated);
  } else if (query.kind == identity_kind::group) {
    const auto fits = [&](const group_row& row) { return is_below(row.path) && holds(row.policies); };
    read = add_identities(query, decode_group, fits, page.groups, page.truncated);
  } else if (query.kind == identity_kind::role) {
    const auto fits = [&](const role_row& row) { return is_below(row.who.path) && holds(row.policies); };
    read = add_identities(query, decode_role, fits, page.roles, page.truncated);
  } else if (query.kind == identity_kind::policy) {
    const auto fits = [&](const policy_row& row) {
      return is_below(row.path) && (!query.attached || row.attachments > 0);
    };
    read = add_identities(query, decode_managed_policy, fits, page.policies, page.truncated);
  } else if (query.kind == identity_kind::provider) {
    const auto fits = [](const provider_row&) { return true; };
    read = add_identities(query, decode_provider, fits, page.providers, page.truncated);
  }
  if (!read) return read.error();
  if (query.kind != identity_kind::token_key_list && (query.kind != identity_kind::role || query.name.empty()))
    return page;
  auto sealing = token_keys_row();
  if (!sealing) return sealing.error();
  page.sealing = std::move(*sealing);
  page.level = static_cast<std::uint8_t>(level_in_force());
  if (auto good = kv_->status(); !good) return good.error();
  return page;
}

} // namespace cairn::storage::metadata
