#include "storage/metadata/apply/apply.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

// While buckets are counted again, because their counts could not be right, nothing is known to compare with.
std::optional<error> command_applier::above_quota(const bucket_row& bucket, const std::string& key, std::uint64_t size,
                                                  const std::optional<object_row>& present) {
  auto& counts = b_.usage_rows();
  const std::string owner = counts.owner_of(bucket.id);
  const auto of_owner = counts.quota_of(owner);
  if (bucket.quota.empty() && of_owner.empty()) return std::nullopt;
  const auto gone = versions_.replaced(bucket, key, present);
  const bool replaces = gone && gone->content != content_kind::delete_marker;
  const auto weigh = [&](const bucket_quota& quota, const std::optional<usage>& held,
                         std::string_view text) -> std::optional<error> {
    if (quota.empty() || !held) return std::nullopt;
    const auto bytes = held->bytes - std::min(held->bytes, replaces ? gone->size : 0);
    const auto versions = held->versions - std::min<std::uint64_t>(held->versions, replaces ? 1 : 0);
    return exceeded(quota, bytes + size, versions + 1, text);
  };
  if (auto refused = weigh(bucket.quota, counts.of(bucket.id), bucket_quota_text)) return refused;
  return weigh(of_owner, counts.held_by(owner), user_quota_text);
}

// Of a session of a role, as of the root key: nobody.
std::string command_applier::creator(const create_bucket& c) {
  if (!b_.has_effects_of(feature_level_of_user_quotas)) return {};
  const access_key_row* key = b_.sender(c.by);
  if (key == nullptr) key = b_.access_key(c.owner);
  if (key == nullptr) return {};
  if (!key->of_user) return key->id;
  return key->of_user->user.is_role() ? std::string{} : key->of_user->user.id;
}

result<std::string> command_applier::owner_named(const std::string& name) {
  if (valid_identity_name(name)) {
    auto user =
        b_.load<user_row>(table::identities, b_.keys.identity(identity_kind::user, identity_key(name)), decode_user);
    if (user) return std::move(user->who.id);
  }
  const access_key_row* const key = b_.access_key(name);
  if (key != nullptr && key->user.empty()) return key->id;
  return error{errc::no_such_identity,
               "There is no user " + name + ", and no access key of this id that belongs to nobody."};
}

std::optional<error> command_applier::change(const set_bucket_quota& c) {
  const bucket_row* const bucket = b_.bucket(c.name);
  if (bucket == nullptr) return error{errc::no_such_bucket};
  bucket_row row = *bucket;
  if (c.bytes_max) row.quota.bytes_max = *c.bytes_max;
  if (c.versions_max) row.quota.versions_max = *c.versions_max;
  if (!row.quota.empty() && !b_.usage_rows().of(row.id))
    return error{errc::busy, "What the bucket holds is not counted yet: try again later."};
  b_.put_bucket(row);
  return std::nullopt;
}

std::optional<error> command_applier::change(const set_user_quota& c) {
  const auto owner = owner_named(c.user);
  if (!owner) return owner.error();
  auto& counts = b_.usage_rows();
  auto quota = counts.quota_of(*owner);
  if (c.bytes_max) quota.bytes_max = *c.bytes_max;
  if (c.versions_max) quota.versions_max = *c.versions_max;
  if (!quota.empty() && !counts.held_by(*owner))
    return error{errc::busy, "What the buckets hold is not counted yet: try again later."};
  counts.set_quota(*owner, quota);
  return std::nullopt;
}

std::optional<error> command_applier::change(const set_bucket_owner& c) {
  const bucket_row* const bucket = b_.bucket(c.name);
  if (bucket == nullptr) return error{errc::no_such_bucket};
  const auto owner = c.user.empty() ? result<std::string>{std::string{}} : owner_named(c.user);
  if (!owner) return owner.error();
  b_.usage_rows().set_owner(bucket->id, *owner);
  return std::nullopt;
}

command_result command_applier::run(const set_user_quota& c) {
  return changed(c.stamp, [&] { return change(c); });
}

command_result command_applier::run(const set_bucket_owner& c) {
  return changed(c.stamp, [&] { return change(c); });
}

command_result command_applier::run(const set_bucket_quota& c) {
  return changed(c.stamp, [&] { return change(c); });
}

} // namespace cairn::storage::metadata
