// What the leader does about the members of the cluster, one step at a time: note which members are down, back or at a
// new address, end writer sessions, raise the feature level, advance the lock time, add, promote, demote and remove
// servers of the log, take members out of the layout, plan targets, and finish moves. A plain class: the caller
// executes a step, waits until it has taken effect, and calls again with the new state. Each step is derived from that
// state alone, so a step may be lost or executed twice.
//
// Voters: 1 of one node, 2 of two, 3 of three or four, 5 of five or more. A member that is down keeps its vote until it
// is removed: demoting it automatically could leave a minority that decides. A member that reports that its copy of the
// metadata has failed is replaced by a standby that is up; in every other respect it counts as down.
//
// A member that lacks entries which it had acknowledged is an older copy of itself (cluster/raft/log_witness.hpp). The
// cluster records a start of it that is far ahead, so that every node refuses the present one, as any older copy.
#pragma once

#include "cluster/auto_out.hpp"
#include "cluster/layout/layout_plan.hpp"
#include "cluster/raft/raft_core.hpp"
#include "storage/metadata/read/view.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <variant>

namespace cairn::cluster {

struct controller_options {
  std::chrono::milliseconds down_after{6000}; // without a report
  std::chrono::milliseconds session_ends_after{60'000};
  std::chrono::milliseconds out_after{600'000};
};

// What the leader knows about a member from its reports.
struct member_report {
  bool has_report = false; // a report arrived since this node became leader
  // Since the last report that did not say `failed`, or since this node became leader.
  std::chrono::milliseconds since_last_report{0};
  bool failed = false;                                              // reported: its copy of the metadata has failed
  std::uint64_t incarnation = 0;                                    // reported
  std::string address;                                              // reported
  std::uint64_t lost_log = 0;                                       // a start of it that lost entries; 0: none
  std::uint32_t feature_level = 0;                                  // reported; 0: no report yet
  std::uint64_t used_bytes = 0, capacity_bytes = 0, data_bytes = 0; // as in member_health
  wall_ms wall = 0;                                                 // reported: its clock; 0: not told
  layout_epoch complete_epoch = 0;                                  // of its last comparison
  std::vector<partition_id> complete;                               // ascending
};

struct controller_view {
  const layout* now = nullptr;
  raft::configuration servers;                      // of the log
  member_index self = 0;                            // the leader
  std::vector<member_report> reports;               // by number; the leader's own has has_report = true
  std::vector<storage::metadata::session_row> live; // sessions
  layout_epoch acknowledged = 0;                    // the lowest epoch that all live sessions have acknowledged
  wall_ms wall = 0;
  std::uint8_t feature_level = 0;   // of the commands that the log may hold
  std::optional<wall_ms> lock_time; // of the state; nullopt: there is no object lock
};

namespace step {
struct commit {
  std::vector<storage::metadata::command> commands; // in this order
};
struct change_log {
  member_index node = 0;
  raft::change_kind kind{};
};
struct plan { // call plan_change and commit its commands; expensive
  layout_change change;
};
} // namespace step
using controller_step = std::variant<step::commit, step::change_log, step::plan>;

std::size_t wanted_voters(std::size_t members);

// The time that the clocks of a majority of the voters have reached, as they reported it. So a minority of clocks that
// are ahead has no effect.
wall_ms majority_time(const controller_view& view);

// Which members are taken out now, and why other overdue members are not.
out_decision auto_out(const controller_view& view, const controller_options& options);

// nullopt: nothing to do in this state. `targets_planned`: plan_base of the last layout whose targets were found to be
// right, so that the plan is not computed again.
std::optional<controller_step> next_step(const controller_view& view, const controller_options& options,
                                         const plan_base& targets_planned);

} // namespace cairn::cluster
