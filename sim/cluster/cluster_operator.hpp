// An operator of a simulated cluster: commands are understood, planned and committed as actors/members/admin_service
// does it, with the layout that the leader knows.
#pragma once

#include "actors/protocol/cluster_status.hpp"
#include "sim/cluster/cluster_workload.hpp"

namespace cairn::sim {

class cluster_operator {
public:
  cluster_operator(world& w, checks& c, std::vector<std::unique_ptr<cluster_node>>& nodes, cluster_workload& commands)
      : w_(w), checks_(c), nodes_(nodes), commands_(commands) {}

  // Any command, drawn; refusals that make sense are no problem. Never leaves less than two nodes that hold chunks
  // where there were two: the only copy of something may be rotten then.
  void act();
  // Waits for it. The error: why it was refused, or what is not known of its outcome.
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
