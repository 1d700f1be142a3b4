// Disk faults of a simulated cluster's members: operations on chunk files, and commits of the chunk index, the metadata
// and its log, fail or find no room; the power fails in the middle of an operation.
#pragma once

#include "sim/cluster/cluster_node.hpp"

namespace cairn::sim {

struct disk_fault_plan {
  double read_errors = 0, write_errors = 0, flush_errors = 0; // probability per operation on chunk files
  bool fills_up = false;                                      // chunk disks fill up, one after the other
  bool dies_midway = false;                                   // the power fails between two disk operations
  double metadata_errors = 0;                                 // probability per commit of the state and the log

  bool any() const { return errors() || fills_up || dies_midway; }
  bool errors() const { return read_errors > 0 || write_errors > 0 || flush_errors > 0 || metadata_errors > 0; }
};
// Drawn from a separate source, so that the draws of older seeds do not change.
disk_fault_plan draw_disk_faults(std::uint64_t seed);

class cluster_disks {
public:
  cluster_disks(world& w, std::vector<std::unique_ptr<cluster_node>>& nodes, const disk_fault_plan& plan)
      : w_(w), nodes_(nodes), plan_(plan) {}

  void open(cluster_node& n);  // call before each start: no disk fails during it
  void begin(cluster_node& n); // call after the start
  void act();                  // a step while faults are active
  // Makes the power of a node fail in the middle of its disk operations; the caller then crashes the node. Null: none.
  cluster_node* lose_power();
  void end(); // ends all faults; nodes with a failed flush must be restarted
  bool sick(const cluster_node& n) const;
  std::string options() const;

private:
  void set_faults(cluster_node& n, std::shared_ptr<std::uint64_t> operations_left);

  world& w_;
  std::vector<std::unique_ptr<cluster_node>>& nodes_;
  const disk_fault_plan plan_;
  cluster_node* full_ = nullptr;
  bool over_ = false;
  std::uint64_t errors_ = 0, filled_ = 0, deaths_ = 0;
};

} // namespace cairn::sim
