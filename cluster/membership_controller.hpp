// What the leader does about the members of the cluster, one step at a time: who is down and who is back, whose writer
// session is over, which new commands all know, who holds the log and who votes on it, who is taken out of the layout,
// which partitions go where and which have arrived. A decision: the caller carries a step out, waits until it is in
// effect, and asks again with what is then true. A step that another one made needless is not asked for again, so steps
// may be lost or done twice.
//
// Voters: one of one node, two of two, three of three or four, five of more. A node that is down keeps its vote until
// it is removed: taking it away by itself could leave a minority that decides. One that says itself that its copy of
// the metadata has failed gives its vote to a standby that is up; for everything else it counts as down.
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

// What the leader knows of a member.
struct member_sight {
  bool heard = false;                  // a report came since this node leads
  std::chrono::milliseconds silent{0}; // since the last one of a member in service, or since it leads
  bool failed = false;                 // it last said that its copy of the metadata has failed
  std::uint64_t incarnation = 0;       // as it last said
  std::uint32_t feature_level = 0;     // as it last said; 0: not yet
  std::uint64_t used_bytes = 0, capacity_bytes = 0, data_bytes = 0;
  layout_epoch complete_epoch = 0;    // of its last comparison
  std::vector<partition_id> complete; // rising
};

struct controller_view {
  const layout* now = nullptr;
  raft::configuration servers;                      // of the log
  member_index self = 0;                            // the leader
  std::vector<member_sight> news;                   // by number; the leader's own is heard
  std::vector<storage::metadata::session_row> live; // sessions
  layout_epoch acknowledged = 0;                    // by all live sessions
  storage::wall_ms wall = 0;
  std::uint8_t feature_level = 0; // of the commands that the log may hold
};

namespace step {
struct commit {
  std::vector<storage::metadata::command> commands; // in this order
};
struct change_log {
  member_index node = 0;
  raft::change_kind kind{};
};
struct plan { // plan_change and commit what it says: expensive
  layout_change change;
};
} // namespace step
using controller_step = std::variant<step::commit, step::change_log, step::plan>;

std::size_t wanted_voters(std::size_t members);

// Who is taken out now, and why others that are away for long are not.
out_decision auto_out(const controller_view& view, const controller_options& options);

// Nothing: all is as it should be, as far as can be told now. `targets_planned`: of the last layout for which targets
// were found to be right, so that the plan is not made over and over.
std::optional<controller_step> next_step(const controller_view& view, const controller_options& options,
                                         const plan_base& targets_planned);

} // namespace cairn::cluster
