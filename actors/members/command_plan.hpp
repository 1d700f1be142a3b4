// What an admin command means for the layout as it is: the change, or why not, in words for people. Pure.
#pragma once

#include "actors/protocol/admin_command.hpp"
#include "cluster/layout/layout_plan.hpp"
#include "cluster/raft/raft_core.hpp"

#include <optional>
#include <span>
#include <string>

namespace cairn::actors {

struct command_plan {
  std::optional<cluster::layout_change> change; // nothing: it is so already
  std::string done;                             // what to tell when it is
};

// drain, activate, remove, weight, zone. not_found: no such node. precondition_failed: it was removed; it still owns
// something; no node would be left that takes data. Says nothing about the plan's cost: the caller makes it
// (cluster::plan_change) and may be refused once more.
result<command_plan> plan_command(const cluster::layout& l, const admin_command& c);

// Whether it is a removal that has been made already, by an earlier try.
bool is_removed(const cluster::layout& l, const admin_command& c);
std::string removed_text(storage::node_number n);

// ── who votes ──

struct voters_view {
  const cluster::layout* layout = nullptr;
  cluster::raft::configuration servers; // of the log
  std::vector<bool> up;                 // by number
};

// Why these nodes can't be the voters, in words for people. Their number is the cluster's to say: a cluster of 5 and
// more has 5, one of 3 or 4 has 3. Those that are to vote and did not before must be up; a majority of all must be.
result<void> may_vote(const voters_view& v, std::span<const storage::node_number> wanted);

// The next change of the log on the way there, one server at a time: a new voter comes in before an old one goes, and
// the dead go first. Nothing: it is so. Afterwards, and when it was refused for a while, ask again.
struct voter_change {
  storage::node_number node = 0;
  cluster::raft::change_kind kind{};
};
std::optional<voter_change> next_voter_change(const voters_view& v, std::span<const storage::node_number> wanted);

} // namespace cairn::actors
