#include "storage/metadata/read/snapshot.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

bool is_near(const bucket_owner_row& row) {
  constexpr double share = 0.9;
  const auto reaches = [](std::uint64_t held, std::uint64_t limit) {
    return limit != 0 && static_cast<double>(held) >= share * static_cast<double>(limit);
  };
  return reaches(row.counted.bytes, row.quota.bytes_max) || reaches(row.counted.versions, row.quota.versions_max);
}

} // namespace

result<std::optional<usage_state>> snapshot::counting() {
  if (counting_) return *counting_;
  auto state = load<usage_state>(table::meta, keys_.meta(meta_field::usage), decode_usage_state, {errc::not_found});
  if (!state && state.error() != errc::not_found) return state.error();
  counting_.emplace();
  // Otherwise later batches were applied without counting.
  if (state && state->index == applied()) *counting_ = std::move(*state);
  return *counting_;
}

result<std::optional<usage>> snapshot::usage_of(bucket_id bucket) {
  const auto state = counting();
  if (!state) return state.error();
  if (!*state || (*state)->scan.bucket == bucket) return std::optional<usage>{};
  const auto row = load<usage_row>(table::meta, keys_.usage(bucket), decode_usage, {errc::not_found});
  if (!row && row.error() != errc::not_found) return row.error();
  if (!row || row->era != (*state)->era) return std::optional<usage>{};
  return std::optional{row->counted};
}

result<std::string> snapshot::owner_of(bucket_id bucket) {
  auto row = load<usage_row>(table::meta, keys_.usage(bucket), decode_usage, {errc::not_found});
  if (!row && row.error() != errc::not_found) return row.error();
  return row ? std::move(row->owner) : std::string{};
}

// Ids that neither a user nor an access key has are left as they are. Reads all users, as long as there are such ids.
result<std::map<std::string, std::string>> snapshot::names_of_owners(const std::vector<std::string>& ids) {
  std::map<std::string, std::string> names;
  std::vector<std::string> of_users;
  for (const auto& id : ids) {
    if (id.empty()) continue;
    const bool is_key = kv_->get(id_of(table::access_keys), keys_.access_key(id)).has_value();
    if (is_key)
      names[id] = id;
    else
      of_users.push_back(id);
  }
  const auto prefix = keys_.identities(identity_kind::user);
  const auto cursor = kv_->cursor(id_of(table::identities));
  auto found = of_users.empty() ? std::nullopt : cursor->seek(prefix);
  for (; found && found->key.starts_with(prefix) && !of_users.empty(); found = cursor->next()) {
    auto user = decode_listed_user(found->value);
    if (!user) return user.error();
    if (std::erase(of_users, user->id) > 0) names[user->id] = std::move(user->name);
  }
  if (auto good = kv_->status(); !good) return good.error();
  return names;
}

result<std::optional<usage_state>> snapshot::complete_counting() {
  auto state = counting();
  if (state && *state && (*state)->scan.phase != usage_phase::done) state->reset();
  return state;
}

bucket_owner snapshot::described(std::string id, const bucket_owner_row& row,
                                 const std::optional<usage_state>& complete) {
  bucket_owner out{.id = std::move(id), .quota = row.quota};
  if (!complete) return out;
  const bool is_of_era = row.era == complete->era;
  out.buckets = is_of_era ? row.buckets : 0;
  out.counted = is_of_era ? row.counted : usage{};
  return out;
}

result<void> snapshot::add_owners(const identity_query& query, identity_page& page) {
  const auto state = complete_counting();
  if (!state) return state.error();
  if (!query.name.empty()) return add_owner(query.name, *state, page);
  const auto prefix = keys_.identities(identity_kind::bucket_owner);
  // Ids have no NUL, so this is the smallest key after `after`.
  const auto from = query.after.empty() ? prefix : keys_.identity(identity_kind::bucket_owner, query.after) + '\0';
  const auto cursor = kv_->cursor(id_of(table::identities));
  std::vector<std::string> ids;
  for (auto found = cursor->seek(from); found && found->key.starts_with(prefix); found = cursor->next()) {
    const auto row = decode_bucket_owner(found->value);
    if (!row) return row.error();
    if (page.owners.size() == query.max) {
      page.truncated = true;
      break;
    }
    page.owners.push_back(described(ids.emplace_back(found->key.substr(prefix.size())), *row, *state));
  }
  if (auto good = kv_->status(); !good) return good.error();
  auto names = names_of_owners(ids);
  if (!names) return names.error();
  for (auto& owner : page.owners) owner.name = std::move((*names)[owner.id]);
  return {};
}

result<void> snapshot::add_owner(const std::string& name, const std::optional<usage_state>& complete,
                                 identity_page& page) {
  const error missing{errc::no_such_identity};
  std::string id = name, shown = name;
  const auto user = valid_identity_name(name)
                        ? kv_->get(id_of(table::identities), keys_.identity(identity_kind::user, identity_key(name)))
                        : std::nullopt;
  if (user) {
    auto row = decode_listed_user(*user);
    if (!row) return row.error();
    id = std::move(row->id);
    shown = std::move(row->name);
  } else {
    const auto key = access_key(name);
    if (!key) return key.error() == errc::no_such_access_key ? missing : key.error();
    if (!key->user.empty()) return missing;
  }
  const auto row = load<bucket_owner_row>(table::identities, keys_.identity(identity_kind::bucket_owner, id),
                                          decode_bucket_owner, missing);
  if (!row && row.error() != errc::no_such_identity) return row.error();
  page.owners.push_back(described(std::move(id), row ? *row : bucket_owner_row{}, complete));
  page.owners.back().name = std::move(shown);
  return {};
}

result<std::uint64_t> snapshot::owners_near_quota() {
  const auto state = complete_counting();
  if (!state) return state.error();
  std::uint64_t near = 0;
  const auto prefix = keys_.identities(identity_kind::bucket_owner);
  const auto cursor = kv_->cursor(id_of(table::identities));
  auto found = *state ? cursor->seek(prefix) : std::nullopt;
  for (; found && found->key.starts_with(prefix); found = cursor->next()) {
    const auto row = decode_bucket_owner(found->value);
    if (!row) return row.error();
    near += row->era == (*state)->era && is_near(*row) ? 1 : 0;
  }
  if (auto good = kv_->status(); !good) return good.error();
  return near;
}

result<usage_totals> snapshot::total_usage() {
  const auto state = counting();
  if (!state) return state.error();
  const bool counts = level_in_force() >= feature_level_of_usage; // as in usage_ledger::begin
  if (auto good = kv_->status(); !good) return good.error();
  if (!*state || !counts) return usage_totals{.counts = counts};
  const auto near = owners_near_quota();
  if (!near) return near.error();
  return usage_totals{(*state)->total, true, (*state)->scan.phase == usage_phase::done, *near};
}

} // namespace cairn::storage::metadata
