// The versions of an object within a batch. The newest version is in table `current`, unless it is a delete marker; all
// others are in `versions`, newest first, under the row id that `names` gives. So listing never meets a delete marker,
// and buckets that never were versioned are not affected.
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

  // The newest version apart from the live one. If no version is live, this is the delete marker that hides the object.
  std::optional<object_row> newest_hidden(const bucket_row& bucket, const std::string& key);

  // The version that a new one of the key replaces, whose content goes; nullopt: all that there are stay. `present`:
  // the result of live().
  std::optional<object_row> replaced(const bucket_row& bucket, const std::string& key,
                                     const std::optional<object_row>& present);

  // The row id for a new version of the key. `present`: the result of live().
  std::uint64_t row_id(const bucket_row& bucket, const std::string& key, const std::optional<object_row>& present);
  // Adds the newest version; its content is already stored. The version that it displaces is kept or, if both are null
  // versions, dropped.
  void put(const bucket_row& bucket, const std::string& key, object_row row, const std::optional<object_row>& present);
  // Replaces the row of the version that `row` names.
  void rewrite(const bucket_row& bucket, const std::string& key, const object_row& row);
  // DELETE without a version. In buckets that are or were versioned, returns the delete marker that it adds.
  std::optional<object_row> remove(const bucket_row& bucket, const std::string& key, version_place place, wall_ms now,
                                   const std::optional<object_row>& present);
  // Deletes a version permanently. Returns its row; nullopt if there is no such version. If no live version remains,
  // the newest remaining one becomes live, unless it is a delete marker.
  std::optional<object_row> erase(const bucket_row& bucket, const std::string& key, const version_id& id);

private:
  std::optional<name_row> name(const bucket_row& bucket, const std::string& key);
  void write_name(const bucket_row& bucket, const std::string& key, std::optional<name_row> name);
  std::optional<object_row> kept(std::uint64_t row_id, const version_place& place);
  std::optional<object_row> newest_kept(std::uint64_t row_id);
  void keep(const bucket_row& bucket, const std::string& key, const object_row& row, std::optional<name_row>& name);
  void forget(const bucket_row& bucket, const std::string& key, const object_row& row, name_row& name);
  void write_live(const bucket_row& bucket, const std::string& key, const object_row& row);
  void erase_live(const bucket_row& bucket, const std::string& key, const object_row& row);
  std::optional<name_row> displace(const bucket_row& bucket, const std::string& key,
                                   const std::optional<object_row>& present, bool by_null);
  void drop_content(const object_row& row);

  batch& b_;
  blob_ledger& blobs_;
};

} // namespace cairn::storage::metadata
