// A member's log with the state that is applied from it, as actors/metadata/log keeps them: a batch is acknowledged
// when it is in the log and applied in the state's open transaction; a start applies again what the state's file lacks.
// Used by the workload and by the check of what a crash left.
#pragma once

#include "tests/crash/plan.hpp"

namespace cairn::crash {

class member_pair {
public:
  member_pair(const std::string& root, random_source& random) : root_(root), random_(random) {}

  result<void> open();
  result<void> enter(std::uint64_t batch); // as in metadata_batch
  // Commits the open transaction, then compacts the log up to there.
  result<void> settle();
  std::uint64_t batches() const { return applied_ - first_index; } // with what is open
  storage::metadata::store& state() { return *store_; }

private:
  static constexpr log_index first_index = 1; // of the log's first entry, its configuration
  result<void> apply(std::span<const cluster::raft::entry> entries);
  cluster::raft::snapshot_record record() const;

  const std::string root_;
  random_source& random_;
  std::unique_ptr<storage::kv_engine> engine_;
  std::unique_ptr<storage::metadata::store> store_;
  std::unique_ptr<cluster::raft::raft_log> log_;
  log_index applied_ = 0, compacted_ = 0;
};

} // namespace cairn::crash
