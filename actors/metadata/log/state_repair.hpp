// A member's copy of the metadata is damaged: the state that was fetched from another member (snapshot_transfer::fetch)
// takes the place of its file. Blocking, on an executor, while nobody applies and nothing is stored in the log.
#pragma once

#include "actors/metadata/log/snapshot_transfer.hpp"
#include "cluster/raft/raft_log.hpp"

namespace cairn::actors {

// What the log must do before a state at `record` takes the place of the node's (D. Ongaro, D. Ousterhout: In Search of
// an Understandable Consensus Algorithm (2014), figure 13): what this node has acknowledged and the state does not have
// stays.
enum class log_before_state : std::uint8_t {
  keeps,   // its entry at the record is the state's: everything that follows it may count elsewhere, and stays
  restarts // it ends before the record, or differs from it there: none of it counts
};
// busy: the state is older than what the log still has.
result<log_before_state> plan_repair(const cluster::raft::stored_state& log,
                                     const cluster::raft::snapshot_record& record);

// The staged state at `record` becomes the node's. After a crash the next start finds damage again, or the log's record
// with the staged state, and finishes. Errors: busy as above; those of the log, of rebuild_from_dump.
result<void> repair_state(const snapshot_transfer_services& s, cluster::raft::raft_log& log,
                          const cluster::raft::snapshot_record& record);

} // namespace cairn::actors
