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
  rows_.clear();
  changed_.clear();
}

void usage_ledger::finish() {
  if (!counts_) return;
  for (const auto& [bucket, there] : changed_) {
    const auto key = b_.keys.usage(bucket);
    if (const auto& row = rows_[bucket])
      b_.put(table::meta, key, encode(usage_row{state_.era, *row}));
    else
      b_.erase(table::meta, key);
  }
  state_.index = b_.index();
  b_.put(table::meta, b_.keys.meta(meta_field::usage), encode(state_));
}

usage_ledger::counts& usage_ledger::find(bucket_id bucket) {
  const auto known = rows_.find(bucket);
  if (known != rows_.end()) return known->second;
  auto& row = rows_[bucket];
  const auto stored = b_.load<usage_row>(table::meta, b_.keys.usage(bucket), decode_usage);
  if (stored && stored->era == state_.era) row = stored->counted;
  return row;
}

void usage_ledger::bucket_made(bucket_id bucket) {
  if (!counts_) return;
  rows_[bucket] = usage{};
  changed_[bucket] = true;
}

void usage_ledger::bucket_gone(bucket_id bucket) {
  if (!counts_) return;
  if (const auto left = find(bucket); left && !subtract(state_.total, *left)) new_era();
  if (state_.scan.bucket == bucket)
    state_.scan = {.phase = usage_phase::between_buckets, .bucket = 0, .name = state_.scan.name};
  rows_[bucket].reset();
  changed_[bucket] = true;
}

std::optional<usage> usage_ledger::of(bucket_id bucket) {
  if (!counts_ || state_.scan.bucket == bucket) return std::nullopt;
  return find(bucket);
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
  auto& row = find(bucket);
  if (!row) return;
  changed_[bucket] = true;
  if (more) {
    add(*row, by);
    add(state_.total, by);
  } else if (!subtract(*row, by) || !subtract(state_.total, by)) {
    new_era(); // the rows cannot be right: count again
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
    if (find(row->id)) continue;
    rows_[row->id] = usage{};
    changed_[row->id] = true;
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
  const bucket_id counted = scan.bucket;
  scan = {.phase = usage_phase::between_buckets, .bucket = 0, .name = scan.name};
  changed_[counted] = true;
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
