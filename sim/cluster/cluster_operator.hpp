// An operator of a simulated cluster: commands are planned and committed as actors/members/admin_service does it, with
// the leader's layout.
#pragma once

#include "actors/protocol/admin_command.hpp"
#include "sim/cluster/cluster_workload.hpp"

namespace cairn::sim {

class cluster_operator {
public:
  cluster_operator(world& w, checks& c, std::vector<std::unique_ptr<cluster_node>>& nodes, cluster_workload& commands)
      : w_(w), checks_(c), nodes_(nodes), commands_(commands) {}

  // Runs a random command; a justified refusal is no failure. Never leaves fewer than two nodes that hold chunks where
  // there were two: the only copy of a chunk may be rotten then.
  void act();
  // Waits for the outcome. The error: why the command was refused, or that its outcome is unknown.
  result<void> run(const actors::admin_command& c);
  std::string summary() const;

private:
  bool leaves_two_holders(const cluster::layout& l, const actors::admin_command& c) const;

  world& w_;
  checks& checks_;
  std::vector<std::unique_ptr<cluster_node>>& nodes_;
  cluster_workload& commands_;
  std::uint64_t done_ = 0, refused_ = 0;
};

} // namespace cairn::sim
