// Plans the change of the layout for an admin command, or answers why it is refused, in a text for operators. Pure.
#pragma once

#include "actors/protocol/admin_command.hpp"
#include "cluster/layout/layout_plan.hpp"
#include "cluster/raft/raft_core.hpp"

#include <optional>
#include <span>
#include <string>

namespace cairn::actors {

struct command_plan {
  std::optional<cluster::layout_change> change; // nullopt: the layout needs no change
  std::string done;                             // the answer to the operator once the change is committed
};

// Plans drain, activate, remove, weight, zone. not_found: no such node. precondition_failed: the node was removed; it
// still owns partitions; no other node could take its data. The caller computes the partitions' targets
// (cluster::plan_change), which may fail too.
result<command_plan> plan_command(const cluster::layout& l, const admin_command& c);

// Whether `c` is a removal that an earlier try has already made.
bool is_removed(const cluster::layout& l, const admin_command& c);
std::string removed_text(node_number n);

// ── who votes ──

struct voters_view {
  const cluster::layout* layout = nullptr;
  cluster::raft::configuration servers; // of the log
  std::vector<bool> up;                 // by number
};

// Checks that the `wanted` nodes can become the voters; the error's text is for operators. The cluster's size
// determines the number of voters (cluster::wanted_voters). New voters must be up, and so must a majority of all wanted
// ones.
result<void> may_vote(const voters_view& v, std::span<const node_number> wanted);

// The next change of the log's configuration towards the `wanted` voters, one server at a time: a new voter is promoted
// before an old one is demoted, and voters that are down are demoted first. nullopt: these nodes are the voters. Call
// again after each change, and after a pause when a change was refused.
struct voter_change {
  node_number node = 0;
  cluster::raft::change_kind kind{};
};
std::optional<voter_change> next_voter_change(const voters_view& v, std::span<const node_number> wanted);

} // namespace cairn::actors
