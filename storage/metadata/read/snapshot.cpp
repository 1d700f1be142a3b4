#include "storage/metadata/read/snapshot.hpp"

#include "storage/metadata/apply/blobs.hpp"
#include "storage/metadata/commands/commands.hpp"
#include "storage/metadata/rows/names.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

std::uint64_t snapshot::meta(meta_field field) {
  byte_reader r{kv_->get(id_of(table::meta), keys_.meta(field)).value_or(std::string_view{})};
  return r.u64();
}

log_index snapshot::applied() {
  return meta(meta_field::applied);
}

std::uint8_t snapshot::feature_level() {
  return std::max(static_cast<std::uint8_t>(meta(meta_field::feature)), feature_level_of_clusters);
}

std::uint64_t snapshot::level_in_force() {
  const auto raised = meta(meta_field::feature); // 0: not set, as on a standalone node
  return raised == 0 && !kv_->get(id_of(table::cluster), keys_.cluster()) ? cairn::storage::metadata::feature_level
                                                                          : raised;
}

std::optional<wall_ms> snapshot::lock_time() {
  if (!kv_->get(id_of(table::meta), keys_.meta(meta_field::lock_time))) return std::nullopt;
  return static_cast<wall_ms>(meta(meta_field::lock_time));
}

bool snapshot::deletions_held() {
  return meta(meta_field::held) != 0;
}

std::uint64_t snapshot::manifests_to_free() {
  return meta(meta_field::free_waiting);
}

result<bucket_row> snapshot::bucket(std::string_view name) {
  if (!valid_bucket_name(name)) return error{errc::no_such_bucket};
  return load<bucket_row>(table::buckets, keys_.bucket(name), decode_bucket, {errc::no_such_bucket});
}

result<bucket_row> snapshot::judged_bucket(std::string_view name, bucket_id judged) {
  auto row = bucket(name);
  if (row && judged != 0 && row->id != judged) return error{errc::no_such_bucket};
  return row;
}

result<std::vector<bucket_row>> snapshot::buckets() {
  return scan(table::buckets, keys_.all(), decode_bucket);
}

result<buckets_page> snapshot::buckets(const buckets_query& query) {
  constexpr std::uint32_t examined_max = 4096;
  buckets_page page;
  const passing over{*kv_, query.skips_damage};
  const std::string all = keys_.all();
  const auto cursor = kv_->cursor(id_of(table::buckets));
  // Names have no NUL, so this is the smallest key after `after`.
  auto found = cursor->seek(query.after < query.prefix || query.after.empty() ? keys_.bucket(query.prefix)
                                                                              : keys_.bucket(query.after) + '\0');
  for (std::uint32_t examined = 0; found && found->key.starts_with(all); found = cursor->next()) {
    const auto name = found->key.substr(all.size());
    if (!name.starts_with(query.prefix)) break;
    if (++examined > examined_max || page.buckets.size() == query.buckets_max) {
      page.truncated = true;
      break;
    }
    auto row = decode_listed_bucket(found->value);
    if (!row) return row.error();
    page.last = row->name;
    if (query.only_of && query.only_of->rights_on(row->id) == 0) continue;
    if (query.with_usage) {
      const auto quota = decode_quota(found->value);
      if (!quota) return quota.error();
      page.quotas.push_back(*quota);
    }
    page.buckets.push_back(std::move(*row));
  }
  if (auto good = kv_->status(); !good) {
    if (page.buckets.size() < query.buckets_max) return good.error();
    page.truncated = true; // what is damaged comes after this page
  }
  page.skipped = kv_->has_skipped_rows();
  for (const auto& row : page.buckets) {
    if (!query.with_usage) break;
    const auto used = usage_of(row.id);
    if (!used) return used.error();
    page.usages.push_back(*used);
    auto owner = owner_of(row.id);
    if (!owner) return owner.error();
    page.owners.push_back(std::move(*owner));
  }
  const auto names = names_of_owners(page.owners);
  if (!names) return names.error();
  for (auto& owner : page.owners)
    if (const auto named = names->find(owner); named != names->end()) owner = named->second;
  return page;
}

result<std::vector<session_row>> snapshot::sessions() {
  return scan(table::sessions, keys_.sessions(), decode_session);
}

result<object_row> snapshot::object(std::string_view bucket_name, std::string_view key) {
  const auto row = bucket(bucket_name);
  if (!row) return row.error();
  const auto bytes = key_tree{id_of(table::current), group_, row->id}.find(*kv_, key);
  if (!bytes) return bytes.error();
  if (!*bytes) return row->versioning == versioning::never ? error{errc::no_such_key} : hidden_key(row->id, key);
  return decode_object(**bytes);
}

// If a delete marker hides the key, the text of the error is the marker's version id, which S3 returns to clients.
error snapshot::hidden_key(bucket_id bucket, std::string_view key) {
  const auto named = key_tree{id_of(table::names), group_, bucket}.find(*kv_, key);
  if (!named) return named.error();
  if (!*named) return error{errc::no_such_key};
  const auto name = decode_name(**named);
  if (!name) return name.error();
  const std::string prefix = keys_.versions_of(name->row_id);
  const auto newest = scan<object_row>(table::versions, prefix, prefix, 1,
                                       [](std::string_view, std::string_view value) { return decode_object(value); });
  if (!newest) return newest.error();
  return {errc::no_such_key, newest->empty() ? std::string{} : to_string(id_of(newest->front()))};
}

result<std::string> snapshot::inline_bytes(const object_row& row) {
  const auto bytes = kv_->get(id_of(table::inline_data), keys_.inline_data(row));
  if (auto good = kv_->status(); !good) return good.error();
  if (!bytes || bytes->size() != row.size)
    return error{errc::corrupt, "inline bytes of row " + std::to_string(row.row_id) + " are missing"};
  return std::string{*bytes};
}

result<manifest_part> snapshot::part(manifest_id id, std::uint32_t index) {
  return load<manifest_part>(
      table::manifests, keys_.part(id, index), decode_manifest_part,
      {errc::corrupt, "manifest " + std::to_string(id) + " has no part " + std::to_string(index)});
}

result<std::vector<manifest_part>> snapshot::parts(manifest_id id, std::uint64_t object_offset, std::size_t max) {
  const auto header = load<manifest_row>(table::manifests, keys_.manifest(id), decode_manifest,
                                         {errc::corrupt, "manifest " + std::to_string(id) + " is missing"});
  if (!header) return header.error();
  // The last part that begins at or before the offset.
  std::uint32_t low = 1, high = std::max(header->parts, 1u);
  while (low < high) {
    const std::uint32_t middle = low + (high - low + 1) / 2;
    const auto probe = part(id, middle);
    if (!probe) return probe.error();
    if (probe->object_offset <= object_offset)
      low = middle;
    else
      high = middle - 1;
  }
  std::vector<manifest_part> covering;
  for (std::uint32_t index = low; index <= header->parts && covering.size() < max; ++index) {
    auto next = part(id, index);
    if (!next) return next.error();
    if (next->object_offset + next->length > object_offset) covering.push_back(*next);
  }
  return covering;
}

result<listing> snapshot::list(const listing_query& query) {
  const auto row = judged_bucket(query.bucket, query.judged.bucket);
  if (!row) return row.error();
  return list_tree(*kv_, key_tree{id_of(table::current), group_, row->id}, query);
}

result<std::vector<buried_blob>> snapshot::buried(std::size_t max) {
  std::vector<buried_blob> oldest;
  const std::string prefix = keys_.all();
  const auto cursor = kv_->cursor(id_of(table::buried));
  auto found = max > 0 ? cursor->seek(prefix) : std::nullopt;
  for (; found && found->key.starts_with(prefix) && oldest.size() < max; found = cursor->next()) {
    byte_reader key{found->key.substr(prefix.size())}, value{found->value};
    buried_blob blob;
    blob.buried_at = key.u64();
    blob.blob = read_blob_id(key);
    blob.chunks = value.varint32();
    if (!key.finished() || !value.finished())
      return error{errc::corrupt, "row of a buried blob does not follow its grammar"};
    oldest.push_back(blob);
  }
  if (auto good = kv_->status(); !good) return good.error();
  return oldest;
}

// nullopt: the blob was abandoned.
result<std::optional<kept_blob>> kept_row(const blob_id& id, const blob_row& row) {
  const bool buried = row.buried_at != 0;
  if (buried && row.length == 0) return std::optional<kept_blob>{};
  const auto chunks = chunks_of(row.length, row.chunk_size);
  if (!chunks) return error{errc::corrupt, "blob " + to_string(id) + " has an invalid length or chunk size"};
  return std::optional{kept_blob{id, row.length, row.chunk_size, *chunks, buried}};
}

result<kept_blobs> snapshot::blobs(const std::optional<blob_id>& after, std::size_t max) {
  constexpr std::size_t buried_passed_max = 16384;
  max = std::max<std::size_t>(max, 1);
  kept_blobs page;
  std::size_t passed = 0;
  const std::string prefix = keys_.all();
  const auto cursor = kv_->cursor(id_of(table::blobs));
  // The smallest key after that of `after`: one more byte.
  auto found = cursor->seek(after ? keys_.blob(*after) + '\0' : prefix);
  for (std::optional<blob_id> last = after; found && found->key.starts_with(prefix); found = cursor->next()) {
    if (page.blobs.size() == max || passed == buried_passed_max) {
      page.next = last;
      break;
    }
    byte_reader key{found->key.substr(prefix.size())};
    const blob_id id = read_blob_id(key);
    const auto row = decode_blob(found->value);
    if (!row) return row.error();
    if (!key.finished()) return error{errc::corrupt, "key of a blob does not follow its grammar"};
    last = id;
    const auto blob = kept_row(id, *row);
    if (!blob) return blob.error();
    if (*blob)
      page.blobs.push_back(**blob);
    else
      ++passed;
  }
  if (auto good = kv_->status(); !good) return good.error();
  return page;
}

result<std::optional<kept_blob>> snapshot::kept(const blob_id& blob) {
  const auto row = load<blob_row>(table::blobs, keys_.blob(blob), decode_blob, {errc::not_found});
  if (!row && row.error() == errc::not_found) return std::optional<kept_blob>{};
  if (!row) return row.error();
  return kept_row(blob, *row);
}

result<bool> snapshot::is_dead(const blob_id& blob) {
  const auto session =
      load<session_row>(table::sessions, keys_.session(blob.session), decode_session, {errc::not_found});
  if (!session) {
    if (session.error() == errc::not_found) return false;
    return session.error();
  }
  const bool has_row = kv_->get(id_of(table::blobs), keys_.blob(blob)).has_value();
  if (auto good = kv_->status(); !good) return good.error();
  return session->ended && !has_row;
}

} // namespace cairn::storage::metadata
