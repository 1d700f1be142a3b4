// Recovers the metadata of a member when the other members are lost: applies its whole log, turns its state into that
// of a new cluster, and begins a new log at that state. Works on engines and files that the caller has opened
// (actors/members/cluster_rescue.hpp, the simulator) and does not share meanwhile. Blocking.
//
// After a crash at any point the whole recovery may be repeated. Errors: corrupt, unsupported, io_error, no_space,
// those of refound_cluster.
#pragma once

#include "cluster/raft/log/raft_log.hpp"
#include "storage/metadata/apply/recovery.hpp"
#include "storage/metadata/store.hpp"

namespace cairn::actors {

class survivor_metadata {
public:
  struct parts {
    storage::kv_engine* state = nullptr;
    cluster::raft::raft_log* log = nullptr; // null: set aside by an earlier try, which has applied it
    file_system* files = nullptr;
    std::string transfer; // folder of received snapshots
  };
  // Completes an install of a snapshot that a crash interrupted after the log had recorded it.
  static result<survivor_metadata> open(const parts& p);

  storage::metadata::store& store() const { return *store_; }
  log_index applied() const { return applied_; }
  log_index last() const { return last_; } // the last index of the log
  // Applies the log to its end; all its entries count as committed.
  result<storage::metadata::refounded> refound(const storage::metadata::create_cluster& c);

private:
  explicit survivor_metadata(const parts& p) : parts_(p) {}
  result<void> apply_the_rest();

  parts parts_;
  std::unique_ptr<storage::metadata::store> store_;
  log_index applied_ = 0, last_ = 0;
};

// `log` must be empty.
result<void> begin_new_log(cluster::raft::raft_log& log, const storage::metadata::refounded& now);

} // namespace cairn::actors
