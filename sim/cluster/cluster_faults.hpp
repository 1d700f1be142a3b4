// Faults of the processes, clocks and links of a simulated cluster, in addition to crashes and partitions: frozen
// processes, links of which one direction fails, one node with permanently slow disks and links, wall clocks that jump,
// payloads that are corrupted in transit.
#pragma once

#include "sim/cluster/cluster_node.hpp"

namespace cairn::sim {

struct fault_plan {
  bool freezes = false, one_way_cuts = false, slow_node = false, clock_jumps = false;
  bool far_jumps = true;   // of clocks, by more than a year
  std::size_t jumpers = 0; // only so many nodes' clocks jump, the last ones', and by up to ten years; 0: any
  double changed_payloads = 0;

  bool any() const { return freezes || one_way_cuts || slow_node || clock_jumps || changed_payloads > 0; }
};
// Drawn from a separate source, so that the draws of older seeds do not change.
fault_plan draw_faults(std::uint64_t seed);

class cluster_faults {
public:
  cluster_faults(world& w, sim_network& n, std::vector<std::unique_ptr<cluster_node>>& nodes, const fault_plan& plan)
      : w_(w), network_(n), nodes_(nodes), plan_(plan) {}

  void act(); // a step while faults are active
  void end(); // ends all faults
  std::string options() const;

private:
  void freeze();
  void cut_one_way();
  void slow_one_down();
  void jump_a_clock();

  world& w_;
  sim_network& network_;
  std::vector<std::unique_ptr<cluster_node>>& nodes_;
  const fault_plan plan_;
  cluster_node* slow_ = nullptr;
  std::uint64_t freezes_ = 0, cuts_ = 0, jumps_ = 0;
};

} // namespace cairn::sim
