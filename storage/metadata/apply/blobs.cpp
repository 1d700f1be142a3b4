#include "storage/metadata/apply/blobs.hpp"

#include "storage/metadata/rows/upload_rows.hpp"

#include <algorithm>
#include <limits>

namespace cairn::storage::metadata {

std::optional<std::uint32_t> chunks_of(std::uint64_t length, std::uint32_t chunk_size) {
  if (chunk_size == 0) return std::nullopt;
  const std::uint64_t chunks = length / chunk_size + (length % chunk_size != 0);
  if (chunks > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(chunks);
}

bool blob_ledger::is_taken(const blob_id& blob) {
  const std::string key = b_.keys.blob(blob);
  return b_.has(table::blobs, key) || b_.has(table::abandoned, key);
}

manifest_id blob_ledger::add_manifest(const written_blob& written, const md5_digest& checksum) {
  const manifest_id id = b_.new_id();
  const manifest_part part{.number = 1,
                           .blob = written.blob,
                           .length = written.length,
                           .chunk_size = written.chunk_size,
                           .checksum = checksum};
  b_.put(table::manifests, b_.keys.manifest(id), encode(manifest_row{.references = 1, .parts = 1}));
  b_.put(table::manifests, b_.keys.part(id, 1), encode(part));
  add_blob(written);
  return id;
}

manifest_id blob_ledger::add_manifest(const std::vector<manifest_part>& parts) {
  const manifest_id id = b_.new_id();
  const auto count = static_cast<std::uint32_t>(parts.size());
  b_.put(table::manifests, b_.keys.manifest(id), encode(manifest_row{.references = 1, .parts = count}));
  for (std::uint32_t index = 1; index <= count; ++index)
    b_.put(table::manifests, b_.keys.part(id, index), encode(parts[index - 1]));
  return id;
}

void blob_ledger::share_manifest(manifest_id id) {
  const std::string key = b_.keys.manifest(id);
  auto row = b_.load<manifest_row>(table::manifests, key, decode_manifest);
  if (!row || row->references == 0)
    return b_.fail({errc::corrupt, "manifest " + std::to_string(id) + " of an object is missing"});
  ++row->references;
  b_.put(table::manifests, key, encode(*row));
}

void blob_ledger::add_blob(const written_blob& written) {
  b_.put(table::blobs, b_.keys.blob(written.blob),
         encode(blob_row{.length = written.length, .chunk_size = written.chunk_size, .references = 1}));
  for (const missing_chunks& m : written.unconfirmed) repairs_.add({.blob = written.blob, .missing = m});
}

void blob_ledger::share_blob(const blob_id& blob) {
  auto row = b_.load<blob_row>(table::blobs, b_.keys.blob(blob), decode_blob);
  if (!row || row->references == 0) return b_.fail({errc::corrupt, "blob " + to_string(blob) + " of a part is dead"});
  ++row->references;
  b_.put(table::blobs, b_.keys.blob(blob), encode(*row));
}

void blob_ledger::drop_manifest(manifest_id id) {
  const std::string key = b_.keys.manifest(id);
  auto row = b_.load<manifest_row>(table::manifests, key, decode_manifest);
  if (!row || row->references == 0)
    return b_.fail({errc::corrupt, "manifest " + std::to_string(id) + " has no reference to drop"});
  --row->references;
  if (row->references > 0 || row->parts > 1) b_.put(table::manifests, key, encode(*row));
  if (row->references > 0) return;
  if (row->parts > 1) return b_.queue_to_free(free_kind::manifest, id);
  const auto part = b_.load<manifest_part>(table::manifests, b_.keys.part(id, 1), decode_manifest_part);
  if (!part) return b_.fail({errc::corrupt, "manifest " + std::to_string(id) + " has lost its part"});
  b_.erase(table::manifests, b_.keys.part(id, 1));
  b_.erase(table::manifests, key);
  release_blob(part->blob);
}

void blob_ledger::release_blob(const blob_id& blob) {
  auto row = b_.load<blob_row>(table::blobs, b_.keys.blob(blob), decode_blob);
  if (!row || row->references == 0)
    return b_.fail({errc::corrupt, "blob " + to_string(blob) + " has no reference to drop"});
  if (--row->references == 0) return bury(blob, *row, chunks_of(row->length, row->chunk_size).value_or(0));
  b_.put(table::blobs, b_.keys.blob(blob), encode(*row));
}

void blob_ledger::bury(const blob_id& blob, blob_row row, std::uint32_t chunks) {
  row.references = 0;
  row.buried_at = b_.index();
  b_.put(table::blobs, b_.keys.blob(blob), encode(row));
  b_.put(table::buried, b_.keys.buried(row.buried_at, blob), byte_writer{8}.varint(chunks).view());
}

void blob_ledger::bury_uncommitted(const blob_id& blob, std::uint32_t chunks) {
  const auto row = b_.load<blob_row>(table::blobs, b_.keys.blob(blob), decode_blob);
  if (!row) return bury(blob, {}, chunks);
  if (row->buried_at == 0) return;
  const std::string key = b_.keys.buried(row->buried_at, blob);
  const auto bytes = b_.kv.get(id_of(table::buried), key);
  byte_reader r{bytes.value_or(std::string_view{})};
  const std::uint32_t before = r.varint32();
  if (!r.finished())
    return b_.fail({errc::corrupt, "buried row of " + to_string(blob) + " does not follow its grammar"});
  if (chunks > before) b_.put(table::buried, key, byte_writer{8}.varint(chunks).view());
}

void blob_ledger::mark_abandoned(const blob_id& blob) {
  b_.put(table::abandoned, b_.keys.blob(blob), presence);
}

void blob_ledger::reap(const buried_blob& buried) {
  const std::string key = b_.keys.blob(buried.blob);
  const auto row = b_.load<blob_row>(table::blobs, key, decode_blob);
  if (!row || row->buried_at == 0 || row->buried_at != buried.buried_at) return;
  b_.erase(table::blobs, key);
  b_.erase(table::buried, b_.keys.buried(buried.buried_at, buried.blob));
  repairs_.drop(buried.blob); // not when it is buried: a running download may still read it from a new owner
}

std::uint64_t blob_ledger::free_step(std::uint32_t rows_max, log_index released_up_to) {
  const std::string group = b_.keys.all();
  const auto cursor = b_.kv.cursor(id_of(table::free_queue));
  for (std::uint32_t rows_left = rows_max; b_.status();) {
    const auto first = cursor->seek(group);
    if (!first || !first->key.starts_with(group)) return 0;
    const std::string key{first->key};
    byte_reader r{std::string_view{key}.substr(group.size())};
    const log_index released_at = r.u64();
    const auto kind = static_cast<free_kind>(r.u8());
    const std::uint64_t id = r.u64();
    if (!r.finished() || kind < free_kind::manifest || kind > free_kind::upload) {
      b_.fail({errc::corrupt, "key of the free queue does not follow its grammar"});
      break;
    }
    if (released_at > released_up_to) return 0;
    const bool done = kind == free_kind::manifest ? free_parts(id, rows_left)
                      : kind == free_kind::upload ? free_upload(id, rows_left)
                                                  : free_leftovers(id, rows_left);
    if (!done || rows_left == 0) break;
    b_.unqueue(key);
    --rows_left;
  }
  return b_.free_waiting();
}

// True when the manifest is completely freed.
bool blob_ledger::free_parts(manifest_id id, std::uint32_t& rows_left) {
  const std::string manifest = b_.keys.manifest(id);
  const auto cursor = b_.kv.cursor(id_of(table::manifests));
  for (; rows_left > 0; --rows_left) {
    const auto found = cursor->seek(b_.keys.part(id, 0));
    if (!found || !found->key.starts_with(manifest)) {
      b_.erase(table::manifests, manifest);
      return true;
    }
    const std::string key{found->key};
    const auto part = b_.unwrap(decode_manifest_part(found->value));
    if (!part) return false;
    b_.erase(table::manifests, key);
    release_blob(part->blob);
  }
  return false;
}

// True when all parts of the upload are freed.
bool blob_ledger::free_upload(std::uint64_t id, std::uint32_t& rows_left) {
  const std::string upload = b_.keys.upload(id);
  const auto cursor = b_.kv.cursor(id_of(table::uploads));
  while (rows_left > 0) {
    const auto found = cursor->seek(upload);
    if (!found || !found->key.starts_with(upload)) return true;
    const std::string key{found->key};
    const auto part = b_.unwrap(decode_uploaded_part(found->value));
    if (!part) return false;
    b_.erase(table::uploads, key);
    for (const part_piece& piece : part->pieces) release_blob(piece.blob);
    rows_left -= static_cast<std::uint32_t>(std::clamp<std::size_t>(part->pieces.size(), 1, rows_left));
  }
  return false;
}

// True when all rows of the ended session in `outcomes` and `abandoned` are removed.
bool blob_ledger::free_leftovers(session_id id, std::uint32_t& rows_left) {
  const std::string prefix = b_.keys.of_session(id);
  for (const table t : {table::outcomes, table::abandoned}) {
    const auto cursor = b_.kv.cursor(id_of(t));
    for (auto found = cursor->seek(prefix); found && found->key.starts_with(prefix); found = cursor->next()) {
      if (rows_left == 0) return false;
      --rows_left;
      b_.erase(t, std::string{found->key});
    }
  }
  return true;
}

} // namespace cairn::storage::metadata
