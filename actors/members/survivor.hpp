// The rescue of a member's metadata when the other members are lost: its log is applied to the end, its state becomes
// that of a new cluster, and a new log begins there. It works on engines and files that the caller has opened
// (actors/members/cluster_rescue.hpp, the simulator). Blocking; nothing else uses them meanwhile.
//
// After a crash at any point the whole rescue may be repeated. Errors: corrupt, unsupported, io_error, no_space, those
// of refound_cluster.
#pragma once

#include "cluster/raft/raft_log.hpp"
#include "storage/metadata/apply/recovery.hpp"
#include "storage/metadata/store.hpp"

namespace cairn::actors {

class survivor_metadata {
public:
  struct parts {
    storage::kv_engine* state = nullptr;
    storage::kv_engine* log = nullptr; // null: set aside by an earlier try, which has applied it
    storage::file_system* files = nullptr;
    std::string transfer; // folder of states that were fetched
  };
  // Finishes what a crash left between the log's record and the state.
  static result<survivor_metadata> open(const parts& p);

  storage::metadata::store& store() const { return *store_; }
  storage::log_index applied() const { return applied_; }
  storage::log_index last() const { return last_; } // of the log
  // Everything that is in the log counts as committed.
  result<storage::metadata::refounded> refound(const storage::metadata::create_cluster& c);

private:
  explicit survivor_metadata(const parts& p) : parts_(p) {}
  result<void> apply_the_rest();

  parts parts_;
  std::unique_ptr<storage::metadata::store> store_;
  std::unique_ptr<cluster::raft::raft_log> log_;
  storage::log_index applied_ = 0, last_ = 0;
};

// `log`: empty.
result<void> begin_new_log(storage::kv_engine& log, const storage::metadata::refounded& now);

} // namespace cairn::actors
