// The versions of an object within a batch. The newest one lies in `current` when it is no delete marker; all others
// lie in `versions`, newest first, under the row id that `names` knows. So listing never sees a marker, and nothing
// changes for buckets that never were versioned.
#pragma once

#include "storage/metadata/apply/blobs.hpp"
#include "storage/metadata/rows/version_rows.hpp"

namespace cairn::storage::metadata {

class version_ledger {
public:
  version_ledger(batch& b, blob_ledger& blobs) : b_(b), blobs_(blobs) {}

  std::optional<object_row> live(const bucket_row& bucket, const std::string& key);
  std::optional<object_row> find(const bucket_row& bucket, const std::string& key, const version_id& id);
  std::optional<object_row> find(const bucket_row& bucket, const std::string& key, const version_place& place);

  // The newest of those that are not live: a delete marker where nothing is live.
  std::optional<object_row> newest_hidden(const bucket_row& bucket, const std::string& key);

  // The row id for a new version of the key. `present`: what live() answered.
  std::uint64_t row_id(const bucket_row& bucket, const std::string& key, const std::optional<object_row>& present);
  // A new newest version, with its content in place. What it displaces stays as a version, or goes.
  void put(const bucket_row& bucket, const std::string& key, object_row row, const std::optional<object_row>& present);
  void rewrite(const bucket_row& bucket, const std::string& key, const object_row& row); // the same version again
  // What DELETE without a version does: the marker that it left, in buckets that are or were versioned.
  std::optional<object_row> remove(const bucket_row& bucket, const std::string& key, version_place place, wall_ms now,
                                   const std::optional<object_row>& present);
  // For good. The row that went; nothing when there is no such version. The newest of those that stay becomes live.
  std::optional<object_row> erase(const bucket_row& bucket, const std::string& key, const version_id& id);

private:
  std::optional<name_row> name(const bucket_row& bucket, const std::string& key);
  void settle(const bucket_row& bucket, const std::string& key, std::optional<name_row> name);
  std::optional<object_row> kept(std::uint64_t row_id, const version_place& place);
  std::optional<object_row> newest_kept(std::uint64_t row_id);
  void keep(const object_row& row, std::optional<name_row>& name);
  void forget(const object_row& row, name_row& name);
  void write_live(const bucket_row& bucket, const std::string& key, const object_row& row);
  void erase_live(const bucket_row& bucket, const std::string& key);
  std::optional<name_row> displace(const bucket_row& bucket, const std::string& key,
                                   const std::optional<object_row>& present, bool by_null);
  void drop_content(const object_row& row);

  batch& b_;
  blob_ledger& blobs_;
};

} // namespace cairn::storage::metadata
