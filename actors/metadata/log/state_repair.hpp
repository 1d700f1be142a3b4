// Repairs a member's damaged copy of the metadata: the state that was fetched from another member
// (snapshot_transfer::fetch) replaces the file. Blocking, on an executor; nothing is applied or stored in the log
// meanwhile.
#pragma once

#include "actors/metadata/log/snapshot_transfer.hpp"
#include "cluster/raft/log/raft_log.hpp"

#include <chrono>

namespace cairn::actors {

// What a member whose state is damaged knows of the other members.
struct repair_view {
  bool leads = false, has_leader = false;
  std::size_t voters = 0;              // of the log, this one included
  std::size_t healthy_voters = 0;      // others that are up and have nearly all of the log
  bool has_source = false;             // another member, voter or standby, has (or soon has) a state that fits the log
  std::chrono::milliseconds waited{0}; // since the damage was found
};
// Whether the others have a majority without this member, as far as it knows.
bool is_dispensable(const repair_view& v);
// Whether it leaves the consensus now, to fetch the state from another member. A leader that is not dispensable serves
// the undamaged rows for repair_patience: voters may come back, or standbys be promoted. Not longer: the damaged row
// may be needed to promote, replace or remove a member, and of one or two voters none ever becomes dispensable. The
// cluster then has no leader until the state is repaired.
bool leaves_for_repair(const repair_view& v);
constexpr std::chrono::seconds repair_patience{30};

// What the log must do before a state at `record` replaces the node's (D. Ongaro, D. Ousterhout: In Search of an
// Understandable Consensus Algorithm (2014), figure 13). Entries that this node has acknowledged and that the state
// does not contain are kept.
enum class log_before_state : std::uint8_t {
  keeps,   // the log's entry at the record is the state's: the entries after it may count in majorities, and stay
  restarts // the log ends before the record, or differs from it there: none of its entries counts
};
// busy: the state is older than what the log still has.
result<log_before_state> plan_repair(const cluster::raft::stored_state& log,
                                     const cluster::raft::snapshot_record& record);

// Replaces the node's state by the staged state at `record`. After a crash the next start finds the damage again, or
// the log's record with the staged state, and completes the repair. Errors: busy as above; those of the log and of
// rebuild_from_dump.
result<void> repair_state(const snapshot_transfer_services& s, cluster::raft::raft_log& log,
                          const cluster::raft::snapshot_record& record);

} // namespace cairn::actors
