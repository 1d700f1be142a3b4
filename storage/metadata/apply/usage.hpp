// Counts what each bucket, and the buckets of each owner together, hold while commands are applied. Members of a
// cluster count from feature level feature_level_of_usage on, a standalone node always: all voters must write the same
// rows.
//
// A state that was made without counting is counted by count_usage commands, a bounded number of rows each, bucket by
// bucket: first the live versions by key, then the others. A change counts if its row lies before the position that
// the scan has reached, or in a bucket that is counted. An owner's counts are the sum of those of its buckets, as far
// as these are counted. A state knows by the index of the last counted batch that a build which does not count has
// changed it: then a new era begins, and everything is counted again.
#pragma once

#include "storage/metadata/rows/rows.hpp"
#include "storage/metadata/rows/usage_rows.hpp"
#include "storage/metadata/rows/version_rows.hpp"

#include <map>
#include <optional>
#include <string>

namespace cairn::storage::metadata {

class batch;

class usage_ledger {
public:
  explicit usage_ledger(batch& b) : b_(b) {}

  // At the begin and the end of the batch.
  void begin();
  void finish();

  void bucket_made(bucket_id bucket, const std::string& owner); // owner: as in usage_row
  void bucket_gone(bucket_id bucket);
  // A row of `current` or `versions` was added or removed.
  void add_live(bucket_id bucket, const std::string& key, const object_row& row) { live(bucket, key, row, true); }
  void remove_live(bucket_id bucket, const std::string& key, const object_row& row) { live(bucket, key, row, false); }
  void add_kept(bucket_id bucket, const std::string& key, const object_row& row) { kept(bucket, key, row, true); }
  void remove_kept(bucket_id bucket, const std::string& key, const object_row& row) { kept(bucket, key, row, false); }

  // Examines `rows_max` rows. False: everything is counted, or nothing is to be counted here.
  bool count_step(std::uint32_t rows_max);
  std::optional<usage> of(bucket_id bucket); // nullopt: not counted yet, or not all of it

  std::string owner_of(bucket_id bucket);
  void set_owner(bucket_id bucket, const std::string& owner);
  std::optional<usage> held_by(const std::string& owner); // nullopt: not all buckets are counted yet
  bucket_quota quota_of(const std::string& owner);
  void set_quota(const std::string& owner, const bucket_quota& quota);
  void drop_quota(const std::string& owner); // the user or the access key was deleted; its buckets stay

private:
  struct bucket_counts {
    std::optional<usage> counted{};
    std::string owner{};
    bool changed = false;
  };
  struct owner_counts {
    bucket_owner_row row{};
    bool changed = false;
  };

  bucket_counts& find(bucket_id bucket);
  owner_counts& find_owner(const std::string& owner);
  void enter(const bucket_counts& bucket);
  void leave(const bucket_counts& bucket);
  void live(bucket_id bucket, const std::string& key, const object_row& row, bool more);
  void kept(bucket_id bucket, const std::string& key, const object_row& row, bool more);
  bool is_behind(bucket_id bucket, const std::string& key, const std::string& version, usage_phase phase) const;
  void change(bucket_id bucket, const usage& by, bool more);
  void new_era();
  std::string version_of(const object_row& row) const;
  void next_bucket(std::uint32_t& left);
  void count_live(std::uint32_t& left);
  void count_others(std::uint32_t& left);
  bool count_versions(std::uint64_t row_id, std::uint32_t& left);

  batch& b_;
  bool counts_ = false;
  usage_state state_;
  std::map<bucket_id, bucket_counts> buckets_;
  std::map<std::string, owner_counts> owners_;
};

} // namespace cairn::storage::metadata
