#include "storage/metadata/apply/apply.hpp"
#include "storage/metadata/rows/names.hpp"

namespace cairn::storage::metadata {

wall_ms command_applier::lock_time(wall_ms now) {
  if (!b_.has(table::cluster, b_.keys.cluster())) b_.advance_lock_time(now);
  return b_.lock_time();
}

bool command_applier::may_bypass_governance(const authority& by, const bucket_row& bucket, const std::string& key,
                                            const object_row& row) {
  if (!by.asked) return false;
  const auto found =
      judge(by, policy::action::bypass_governance_retention, b_.sender(by), bucket, {.key = key, .row = &row});
  return found.made == ruling::allowed;
}

std::optional<error> command_applier::held(const bucket_row& bucket, const delete_object& c, const object_row& row) {
  const auto& lock = row.extras.lock;
  if (lock.empty()) return std::nullopt;
  const bool bypasses = c.bypasses_governance && may_bypass_governance(c.by, bucket, c.key, row);
  if (!is_protected(lock, lock_time(c.now), bypasses)) return std::nullopt;
  return error{errc::access_denied, "Access Denied because object protected by object lock."};
}

std::optional<error> command_applier::unlockable(const bucket_row& bucket, const object_extras& extras) {
  return extras.lock.empty() || bucket.lock.enabled ? std::nullopt : std::optional{error{errc::no_object_lock}};
}

// The later of both times: a clock that is behind must not shorten the retention.
std::optional<error> command_applier::lock_new(const bucket_row& bucket, object_extras& extras, wall_ms now) {
  if (auto refused = unlockable(bucket, extras)) return refused;
  if (bucket.lock.enabled && extras.lock.retained.mode == retention_mode::none)
    extras.lock.retained = default_retention(bucket.lock, std::max(now, b_.lock_time()));
  return std::nullopt;
}

std::optional<error> command_applier::change(const set_object_lock& c, log_index& version) {
  const auto admitted_to = admitted(c.by, c.bucket, c.key, c.version);
  if (!admitted_to) return admitted_to.error();
  const bucket_row* const bucket = *admitted_to;
  if (!bucket->lock.enabled) return error{errc::no_object_lock};
  if (!valid_key(c.key)) return error{errc::no_such_key};
  auto row = c.version ? versions_.find(*bucket, c.key, *c.version) : versions_.live(*bucket, c.key);
  if (!row) return error{c.version ? errc::no_such_version : errc::no_such_key};
  if (row->content == content_kind::delete_marker) return error{errc::delete_marker};
  auto& lock = row->extras.lock;
  if (c.retained) {
    const bool bypasses = c.bypasses_governance && may_bypass_governance(c.by, *bucket, c.key, *row);
    if (!may_replace(lock.retained, *c.retained, lock_time(c.now), bypasses))
      return error{errc::access_denied, "Access Denied because object protected by object lock."};
    lock.retained = *c.retained;
  }
  if (c.hold) lock.hold = *c.hold;
  versions_.rewrite(*bucket, c.key, *row);
  version = row->version;
  return std::nullopt;
}

std::optional<error> command_applier::change(const set_bucket_lock& c) {
  const auto bucket = admitted(c.by, c.name);
  if (!bucket) return bucket.error();
  bucket_row row = **bucket;
  if (row.versioning != versioning::enabled)
    return error{errc::invalid_bucket_state,
                 "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"};
  row.lock = c.lock;
  b_.put_bucket(row);
  b_.advance_lock_time(0);
  return std::nullopt;
}

command_result command_applier::run(const set_object_lock& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  log_index version = 0;
  auto refused = change(c, version);
  return remember(c.stamp, {.version = version, .refused = std::move(refused)});
}

command_result command_applier::run(const set_bucket_lock& c) {
  return changed(c.stamp, [&] { return change(c); });
}

command_result command_applier::run(const advance_lock_time& c) {
  b_.advance_lock_time(c.time);
  return {};
}

} // namespace cairn::storage::metadata
