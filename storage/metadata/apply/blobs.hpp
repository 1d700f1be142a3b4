// Blobs and manifests within a batch: references, bury, reap, freeing in steps.
//
// A blob is live while a manifest part or an uploaded part names it. When the last reference is dropped, it is buried
// under the log index of that batch, until it is reaped and its rows are removed. An abandoned blob also has a row in
// `abandoned` until its session has ended, so that a late commit finds it dead.
#pragma once

#include "storage/metadata/apply/repairs.hpp"

namespace cairn::storage::metadata {

// Number of chunks of a blob of this length; nullopt if a 32-bit index cannot count them, or if chunk_size is 0.
std::optional<std::uint32_t> chunks_of(std::uint64_t length, std::uint32_t chunk_size);

class blob_ledger {
public:
  explicit blob_ledger(batch& b) : b_(b), repairs_(b) {}

  // Live, buried or abandoned: no new commit may name it.
  bool is_taken(const blob_id& blob);

  // Adds a new blob, the repairs that it needs, and a manifest with the blob as its only part and one reference.
  manifest_id add_manifest(const written_blob& written, const md5_digest& checksum);
  // Adds a manifest of parts in object order; their blobs already have these references.
  manifest_id add_manifest(const std::vector<manifest_part>& parts);
  void share_manifest(manifest_id id); // adds a reference of an object row

  // Adds a new blob with one reference, and the repairs that it needs.
  void add_blob(const written_blob& written);
  void share_blob(const blob_id& blob);   // adds a reference
  void release_blob(const blob_id& blob); // drops a reference
  // Drops a reference of an object row.
  void drop_manifest(manifest_id id);

  // Buries a blob that was not committed; a committed blob is not changed. If it is already buried, its count of chunks
  // is raised to `chunks`.
  void bury_uncommitted(const blob_id& blob, std::uint32_t chunks);
  void mark_abandoned(const blob_id& blob);

  void reap(const buried_blob& buried); // no effect if it is not buried under this index
  // Processes the free queue up to `released_up_to`, at most `rows_max` rows. Returns command_result::more.
  std::uint64_t free_step(std::uint32_t rows_max, log_index released_up_to);

private:
  void bury(const blob_id& blob, blob_row row, std::uint32_t chunks);
  bool free_parts(manifest_id id, std::uint32_t& rows_left);
  bool free_upload(std::uint64_t id, std::uint32_t& rows_left);
  bool free_leftovers(session_id id, std::uint32_t& rows_left);

  batch& b_;
  repair_ledger repairs_;
};

} // namespace cairn::storage::metadata
