// Lifes of blobs and manifests within a batch: references, burying, reaping, freeing in steps.
//
// A blob is live while a manifest part or an uploaded part names it, buried from the log index at which the last one
// went until it is reaped; then no row is left. A blob that was abandoned has a mark besides, until its session has
// ended: a commit that comes late must find it dead.
#pragma once

#include "storage/metadata/apply/repairs.hpp"

namespace cairn::storage::metadata {

// Chunks of a blob of this length; nothing when there would be more than an index can count, or no chunk size.
std::optional<std::uint32_t> chunks_of(std::uint64_t length, std::uint32_t chunk_size);

class blob_ledger {
public:
  explicit blob_ledger(batch& b) : b_(b), repairs_(b) {}

  // Known in any way: live, buried or abandoned. No commit may name it (again).
  bool is_taken(const blob_id& blob);

  // A fresh blob as the only part of a new manifest with one reference. With it the repairs that it needs.
  manifest_id add_manifest(const written_blob& written, const md5_digest& checksum);
  // Of pieces that have their references already, in object order; `numbers` of the parts that they belong to.
  manifest_id add_manifest(const std::vector<manifest_part>& parts);
  void share_manifest(manifest_id id); // one more object row names it

  // A fresh blob that one row outside of any manifest names, and the repairs that it needs.
  void add_blob(const written_blob& written);
  void share_blob(const blob_id& blob);   // one more row names it
  void release_blob(const blob_id& blob); // one less
  // An object row that named the manifest is gone.
  void drop_manifest(manifest_id id);

  // Buries a blob that never was committed; one that was stays as it is. An earlier burying is widened to `chunks`.
  void bury_uncommitted(const blob_id& blob, std::uint32_t chunks);
  void mark_abandoned(const blob_id& blob);

  void reap(const buried_blob& buried); // nothing when it is not buried there
  // Works on the free queue up to `released_up_to`, at most `rows_max` rows. What command_result::more says.
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
