#include "storage/metadata/apply/usage.hpp"

#include "storage/metadata/apply/batch.hpp"

namespace cairn::storage::metadata {

namespace {

usage live_counts(std::uint64_t size) {
  return {.objects = 1, .versions = 1, .bytes = size};
}

usage kept_counts(const object_row& row) {
  if (row.content == content_kind::delete_marker) return {.markers = 1};
  return {.versions = 1, .bytes = row.size};
}

void add(usage& to, const usage& by) {
  to.objects += by.objects;
  to.versions += by.versions;
  to.markers += by.markers;
  to.bytes += by.bytes;
}

// False: there was not so much.
bool subtract(usage& from, const usage& by) {
  if (from.objects < by.objects || from.versions < by.versions || from.markers < by.markers || from.bytes < by.bytes)
    return false;
  from.objects -= by.objects;
  from.versions -= by.versions;
  from.markers -= by.markers;
  from.bytes -= by.bytes;
  return true;
}

} // namespace

void usage_ledger::begin() {
  counts_ = b_.has_effects_of(feature_level_of_usage);
  if (!counts_) return;
  const auto before = b_.load<usage_state>(table::meta, b_.keys.meta(meta_field::usage), decode_usage_state);
  if (before) state_ = *before;
  if (state_.index + 1 != b_.index() || state_.era == 0) new_era();
  if (b_.index() == 1) state_.scan.phase = usage_phase::done; // there are no buckets
}

void usage_ledger::new_era() {
  state_ = {.era = state_.era + 1};
  for (auto& [id, bucket] : buckets_) bucket = {.owner = bucket.owner, .changed = !bucket.owner.empty()};
  for (auto& [id, owner] : owners_) owner.row = {.era = state_.era, .quota = owner.row.quota};
}

void usage_ledger::finish() {
  if (!counts_) return;
  for (const auto& [id, bucket] : buckets_) {
    if (!bucket.changed) continue;
    const auto key = b_.keys.usage(id);
    if (bucket.counted || !bucket.owner.empty())
      b_.put(table::meta, key,
             encode(usage_row{bucket.counted ? state_.era : 0, bucket.counted.value_or(usage{}), bucket.owner}));
    else
      b_.erase(table::meta, key);
  }
  for (const auto& [id, owner] : owners_) {
    if (!owner.changed) continue;
    const auto key = b_.keys.identity(identity_kind::bucket_owner, id);
    if (owner.row.buckets > 0 || !owner.row.quota.empty())
      b_.put(table::identities, key, encode(owner.row));
    else
      b_.erase(table::identities, key);
  }
  state_.index = b_.index();
  b_.put(table::meta, b_.keys.meta(meta_field::usage), encode(state_));
}

usage_ledger::bucket_counts& usage_ledger::find(bucket_id bucket) {
  const auto known = buckets_.find(bucket);
  if (known != buckets_.end()) return known->second;
  auto& found = buckets_[bucket];
  auto stored = b_.load<usage_row>(table::meta, b_.keys.usage(bucket), decode_usage);
  if (!stored) return found;
  if (stored->era == state_.era) found.counted = stored->counted;
  found.owner = std::move(stored->owner);
  return found;
}

usage_ledger::owner_counts& usage_ledger::find_owner(const std::string& owner) {
  const auto known = owners_.find(owner);
  if (known != owners_.end()) return known->second;
  auto& found = owners_[owner];
  const auto stored = b_.load<bucket_owner_row>(table::identities, b_.keys.identity(identity_kind::bucket_owner, owner),
                                                decode_bucket_owner);
  if (stored) found.row = *stored;
  if (found.row.era != state_.era) found.row = {.era = state_.era, .quota = found.row.quota};
  return found;
}

// The bucket's counts become a part of its owner's.
void usage_ledger::enter(const bucket_counts& bucket) {
  if (bucket.owner.empty() || !bucket.counted) return;
  auto& owner = find_owner(bucket.owner);
  owner.changed = true;
  ++owner.row.buckets;
  add(owner.row.counted, *bucket.counted);
}

void usage_ledger::leave(const bucket_counts& bucket) {
  if (bucket.owner.empty() || !bucket.counted) return;
  auto& owner = find_owner(bucket.owner);
  owner.changed = true;
  if (owner.row.buckets == 0 || !subtract(owner.row.counted, *bucket.counted)) return new_era();
  --owner.row.buckets;
}

void usage_ledger::bucket_made(bucket_id bucket, const std::string& owner) {
  if (!counts_) return;
  auto& made = buckets_[bucket];
  made = {.counted = usage{}, .owner = owner, .changed = true};
  enter(made);
}

void usage_ledger::bucket_gone(bucket_id bucket) {
  if (!counts_) return;
  auto& gone = find(bucket);
  leave(gone);
  if (gone.counted && !subtract(state_.total, *gone.counted)) new_era();
  if (state_.scan.bucket == bucket)
    state_.scan = {.phase = usage_phase::between_buckets, .bucket = 0, .name = state_.scan.name};
  gone = {.changed = true};
}

std::optional<usage> usage_ledger::of(bucket_id bucket) {
  if (!counts_ || state_.scan.bucket == bucket) return std::nullopt;
  return find(bucket).counted;
}

std::string usage_ledger::owner_of(bucket_id bucket) {
  return counts_ ? find(bucket).owner : std::string{};
}

void usage_ledger::set_owner(bucket_id bucket, const std::string& owner) {
  auto& given = find(bucket);
  if (given.owner == owner) return;
  leave(given);
  given.owner = owner;
  given.changed = true;
  enter(given);
}

std::optional<usage> usage_ledger::held_by(const std::string& owner) {
  if (!counts_ || state_.scan.phase != usage_phase::done) return std::nullopt;
  return find_owner(owner).row.counted;
}

bucket_quota usage_ledger::quota_of(const std::string& owner) {
  return !counts_ || owner.empty() ? bucket_quota{} : find_owner(owner).row.quota;
}

void usage_ledger::set_quota(const std::string& owner, const bucket_quota& quota) {
  auto& limited = find_owner(owner);
  limited.row.quota = quota;
  limited.changed = true;
}

void usage_ledger::drop_quota(const std::string& owner) {
  if (!quota_of(owner).empty()) set_quota(owner, {});
}

std::string usage_ledger::version_of(const object_row& row) const {
  return b_.keys.version(row.row_id, place_of(row)).substr(b_.keys.versions_of(row.row_id).size());
}

// Whether the scan will still come to the row.
bool usage_ledger::is_behind(bucket_id bucket, const std::string& key, const std::string& version,
                             usage_phase phase) const {
  const auto& scan = state_.scan;
  if (scan.bucket != bucket || phase < scan.phase) return false;
  if (phase > scan.phase || key > scan.key) return true;
  return key == scan.key && !scan.version.empty() && version > scan.version;
}

void usage_ledger::live(bucket_id bucket, const std::string& key, const object_row& row, bool more) {
  if (!counts_ || is_behind(bucket, key, {}, usage_phase::live_versions)) return;
  change(bucket, live_counts(row.size), more);
}

void usage_ledger::kept(bucket_id bucket, const std::string& key, const object_row& row, bool more) {
  if (!counts_ || is_behind(bucket, key, version_of(row), usage_phase::other_versions)) return;
  change(bucket, kept_counts(row), more);
}

void usage_ledger::change(bucket_id bucket, const usage& by, bool more) {
  auto& held = find(bucket);
  if (!held.counted) return;
  held.changed = true;
  owner_counts* const owner = held.owner.empty() ? nullptr : &find_owner(held.owner);
  if (owner != nullptr) owner->changed = true;
  for (auto* const sum : {&*held.counted, &state_.total, owner != nullptr ? &owner->row.counted : nullptr}) {
    if (sum == nullptr) continue;
    if (more)
      add(*sum, by);
    else if (!subtract(*sum, by))
      return new_era(); // the rows cannot be right: count again
  }
}

bool usage_ledger::count_step(std::uint32_t rows_max) {
  for (auto left = rows_max; counts_ && left > 0 && b_.status();) {
    switch (state_.scan.phase) {
      case usage_phase::between_buckets: next_bucket(left); break;
      case usage_phase::live_versions: count_live(left); break;
      case usage_phase::other_versions: count_others(left); break;
      case usage_phase::done: return false;
    }
  }
  return counts_ && state_.scan.phase != usage_phase::done;
}

// The next bucket that is not counted. Those that were made in this era are.
void usage_ledger::next_bucket(std::uint32_t& left) {
  auto& scan = state_.scan;
  const std::string all = b_.keys.all();
  const auto cursor = b_.kv.cursor(id_of(table::buckets));
  // Names have no NUL, so this is the smallest key after the last bucket's.
  auto found = cursor->seek(scan.name.empty() ? all : b_.keys.bucket(scan.name) + '\0');
  for (; found && found->key.starts_with(all) && left > 0; found = cursor->next(), --left) {
    const auto row = b_.unwrap(decode_listed_bucket(found->value));
    if (!row) return;
    scan.name = row->name;
    auto& next = find(row->id);
    if (next.counted) continue;
    next.counted.emplace();
    next.changed = true;
    enter(next);
    scan.bucket = row->id;
    scan.phase = usage_phase::live_versions;
    return;
  }
  if (left > 0 && b_.status()) scan.phase = usage_phase::done;
}

void usage_ledger::count_live(std::uint32_t& left) {
  auto& scan = state_.scan;
  key_tree_cursor cursor{b_.kv, b_.tree(table::current, scan.bucket)};
  bool found = cursor.seek(scan.key, !scan.key.empty());
  for (; found && left > 0; found = cursor.next(), --left) {
    const auto row = b_.unwrap(decode_listed(cursor.row()));
    if (!row) return;
    scan.key = cursor.key();
    change(scan.bucket, live_counts(row->size), true);
  }
  if (auto good = cursor.status(); !good) return b_.fail(good.error());
  if (found) return;
  scan.phase = usage_phase::other_versions;
  scan.key.clear();
}

void usage_ledger::count_others(std::uint32_t& left) {
  auto& scan = state_.scan;
  key_tree_cursor cursor{b_.kv, b_.tree(table::names, scan.bucket)};
  // A key whose versions were counted in part may be gone.
  bool found = cursor.seek(scan.key, scan.version.empty() && !scan.key.empty());
  if (!found || cursor.key() != scan.key) scan.version.clear();
  for (; found && left > 0; found = cursor.next()) {
    const auto name = b_.unwrap(decode_name(cursor.row()));
    if (!name) return;
    scan.key = cursor.key();
    if (!count_versions(name->row_id, left)) return;
    if (left > 0) --left;
  }
  if (auto good = cursor.status(); !good) return b_.fail(good.error());
  if (found) return;
  find(scan.bucket).changed = true;
  scan = {.phase = usage_phase::between_buckets, .bucket = 0, .name = scan.name};
}

// False: there are further versions.
bool usage_ledger::count_versions(std::uint64_t row_id, std::uint32_t& left) {
  auto& version = state_.scan.version;
  const std::string prefix = b_.keys.versions_of(row_id);
  const auto cursor = b_.kv.cursor(id_of(table::versions));
  auto found = cursor->seek(version.empty() ? prefix : prefix + version + '\0'); // keys have one length
  for (; found && found->key.starts_with(prefix); found = cursor->next(), --left) {
    if (left == 0) return false;
    const auto row = b_.unwrap(decode_object(found->value));
    if (!row) return false;
    version = found->key.substr(prefix.size());
    change(state_.scan.bucket, kept_counts(*row), true);
  }
  version.clear();
  return true;
}

} // namespace cairn::storage::metadata
