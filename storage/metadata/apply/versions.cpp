#include "storage/metadata/apply/versions.hpp"

namespace cairn::storage::metadata {

std::optional<object_row> version_ledger::live(const bucket_row& bucket, const std::string& key) {
  const auto bytes = b_.unwrap(b_.tree(table::current, bucket.id).find(b_.kv, key));
  if (!bytes || !*bytes) return std::nullopt;
  return b_.unwrap(decode_object(**bytes));
}

std::optional<name_row> version_ledger::name(const bucket_row& bucket, const std::string& key) {
  if (bucket.versioning == versioning::never) return std::nullopt;
  const auto bytes = b_.unwrap(b_.tree(table::names, bucket.id).find(b_.kv, key));
  if (!bytes || !*bytes) return std::nullopt;
  return b_.unwrap(decode_name(**bytes));
}

// Writes the name row, or erases it if it has no versions any more.
void version_ledger::write_name(const bucket_row& bucket, const std::string& key, std::optional<name_row> name) {
  if (!name) return;
  const auto tree = b_.tree(table::names, bucket.id);
  if (newest_kept(name->row_id)) {
    if (const auto put = tree.put(b_.kv, key, encode(*name), [&] { return b_.new_id(); }); !put) b_.fail(put.error());
  } else {
    b_.unwrap(tree.erase(b_.kv, key));
  }
}

std::optional<object_row> version_ledger::kept(std::uint64_t row_id, const version_place& place) {
  return b_.load<object_row>(table::versions, b_.keys.version(row_id, place), decode_object);
}

std::optional<object_row> version_ledger::newest_kept(std::uint64_t row_id) {
  const std::string prefix = b_.keys.versions_of(row_id);
  const auto cursor = b_.kv.cursor(id_of(table::versions));
  const auto first = cursor->seek(prefix);
  if (!first || !first->key.starts_with(prefix)) return std::nullopt;
  return b_.unwrap(decode_object(first->value));
}

void version_ledger::keep(const bucket_row& bucket, const std::string& key, const object_row& row,
                          std::optional<name_row>& name) {
  b_.usage_rows().add_kept(bucket.id, key, row);
  b_.put(table::versions, b_.keys.version(row.row_id, place_of(row)), encode(row));
  if (!name) name = name_row{row.row_id, std::nullopt};
  if (row.null_version) name->null = place_of(row);
}

void version_ledger::forget(const bucket_row& bucket, const std::string& key, const object_row& row, name_row& name) {
  b_.usage_rows().remove_kept(bucket.id, key, row);
  b_.erase(table::versions, b_.keys.version(row.row_id, place_of(row)));
  if (row.null_version) name.null.reset();
}

std::optional<object_row> version_ledger::find(const bucket_row& bucket, const std::string& key,
                                               const version_place& place) {
  auto present = live(bucket, key);
  if (present && place_of(*present) == place) return present;
  const auto known = name(bucket, key);
  return known ? kept(known->row_id, place) : std::nullopt;
}

std::optional<object_row> version_ledger::find(const bucket_row& bucket, const std::string& key, const version_id& id) {
  if (id.place) {
    auto found = find(bucket, key, *id.place);
    return found && !found->null_version ? found : std::nullopt;
  }
  auto present = live(bucket, key);
  if (present && present->null_version) return present;
  const auto known = name(bucket, key);
  return known && known->null ? kept(known->row_id, *known->null) : std::nullopt;
}

std::optional<object_row> version_ledger::newest_hidden(const bucket_row& bucket, const std::string& key) {
  const auto known = name(bucket, key);
  return known ? newest_kept(known->row_id) : std::nullopt;
}

// An object has at most one null version, and a new one is a null version unless versioning is enabled.
std::optional<object_row> version_ledger::replaced(const bucket_row& bucket, const std::string& key,
                                                   const std::optional<object_row>& present) {
  if (bucket.versioning == versioning::enabled) return std::nullopt;
  if (present && present->null_version) return present;
  const auto known = name(bucket, key);
  return known && known->null ? kept(known->row_id, *known->null) : std::nullopt;
}

std::uint64_t version_ledger::row_id(const bucket_row& bucket, const std::string& key,
                                     const std::optional<object_row>& present) {
  if (present) return present->row_id;
  const auto known = name(bucket, key);
  return known ? known->row_id : b_.new_id();
}

void version_ledger::put(const bucket_row& bucket, const std::string& key, object_row row,
                         const std::optional<object_row>& present) {
  row.null_version = bucket.versioning != versioning::enabled;
  if (present) b_.usage_rows().remove_live(bucket.id, key, *present);
  write_name(bucket, key, displace(bucket, key, present, row.null_version));
  write_live(bucket, key, row);
  b_.usage_rows().add_live(bucket.id, key, row);
}

// Keeps or drops the live version before a new one is added. An object has at most one null version, so a new null
// version replaces the old one.
std::optional<name_row> version_ledger::displace(const bucket_row& bucket, const std::string& key,
                                                 const std::optional<object_row>& present, bool by_null) {
  auto known = name(bucket, key);
  if (by_null && known && known->null) {
    if (const auto old = kept(known->row_id, *known->null)) {
      drop_content(*old);
      forget(bucket, key, *old, *known);
    }
  }
  if (present && by_null && present->null_version)
    drop_content(*present);
  else if (present)
    keep(bucket, key, *present, known);
  return known;
}

void version_ledger::rewrite(const bucket_row& bucket, const std::string& key, const object_row& row) {
  const auto present = live(bucket, key);
  if (present && place_of(*present) == place_of(row)) return write_live(bucket, key, row);
  b_.put(table::versions, b_.keys.version(row.row_id, place_of(row)), encode(row));
}

std::optional<object_row> version_ledger::remove(const bucket_row& bucket, const std::string& key, version_place place,
                                                 wall_ms now, const std::optional<object_row>& present) {
  if (bucket.versioning == versioning::never) {
    if (present) drop_content(*present);
    if (present) erase_live(bucket, key, *present);
    return std::nullopt;
  }
  object_row marker{.row_id = row_id(bucket, key, present),
                    .version = place.version,
                    .ordinal = place.ordinal,
                    .null_version = bucket.versioning == versioning::suspended,
                    .modified = now,
                    .content = content_kind::delete_marker};
  auto known = displace(bucket, key, present, marker.null_version);
  if (present) erase_live(bucket, key, *present);
  keep(bucket, key, marker, known);
  write_name(bucket, key, known);
  return marker;
}

std::optional<object_row> version_ledger::erase(const bucket_row& bucket, const std::string& key,
                                                const version_id& id) {
  const auto gone = find(bucket, key, id);
  if (!gone) return std::nullopt;
  auto known = name(bucket, key);
  const auto present = live(bucket, key);
  const bool was_live = present && place_of(*present) == place_of(*gone);
  drop_content(*gone);
  if (was_live)
    erase_live(bucket, key, *gone);
  else if (known)
    forget(bucket, key, *gone, *known);
  else
    b_.fail({errc::corrupt, "a version without a name row"}); // a failed read sets the batch's error before this
  const auto newest = known && (was_live || !present) ? newest_kept(known->row_id) : std::nullopt;
  if (newest && newest->content != content_kind::delete_marker) {
    forget(bucket, key, *newest, *known);
    write_live(bucket, key, *newest);
    b_.usage_rows().add_live(bucket.id, key, *newest);
  }
  write_name(bucket, key, known);
  return gone;
}

void version_ledger::write_live(const bucket_row& bucket, const std::string& key, const object_row& row) {
  const auto stored = b_.tree(table::current, bucket.id).put(b_.kv, key, encode(row), [&] { return b_.new_id(); });
  if (!stored) b_.fail(stored.error());
}

void version_ledger::erase_live(const bucket_row& bucket, const std::string& key, const object_row& row) {
  b_.usage_rows().remove_live(bucket.id, key, row);
  b_.unwrap(b_.tree(table::current, bucket.id).erase(b_.kv, key));
}

void version_ledger::drop_content(const object_row& row) {
  if (row.content == content_kind::inline_bytes) b_.erase(table::inline_data, b_.keys.inline_data(row));
  if (row.content == content_kind::manifest) blobs_.drop_manifest(row.manifest);
}

} // namespace cairn::storage::metadata
