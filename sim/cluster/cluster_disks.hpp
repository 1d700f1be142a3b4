// What happens to the disks of a simulated cluster's members: operations of chunk files and commits of their index, of
// the metadata and of its log fail or find no room; the power goes in the middle of an operation.
#pragma once

#include "sim/cluster/cluster_node.hpp"

namespace cairn::sim {

struct disk_fault_plan {
  double read_errors = 0, write_errors = 0, flush_errors = 0; // chance an operation, of chunks
  bool fills_up = false;                                      // disks for chunks, one after the other
  bool dies_midway = false;                                   // between two operations of a disk
  double metadata_errors = 0;                                 // chance a commit, of the state and the log

  bool any() const { return errors() || fills_up || dies_midway; }
  bool errors() const { return read_errors > 0 || write_errors > 0 || flush_errors > 0 || metadata_errors > 0; }
};
// From a source of its own: what a seed without them draws stays as it was.
disk_fault_plan draw_disk_faults(std::uint64_t seed);

class cluster_disks {
public:
  cluster_disks(world& w, std::vector<std::unique_ptr<cluster_node>>& nodes, const disk_fault_plan& plan)
      : w_(w), nodes_(nodes), plan_(plan) {}

  void open(cluster_node& n);  // before it starts, each time: no disk fails now
  void begin(cluster_node& n); // when it has
  void act();                  // a step of the trouble
  // A node whose power goes in the middle of what its disks do, now: it is to be crashed. Null: not this time.
  cluster_node* lose_power();
  void end(); // all of it is over, now; who has met a failed flush starts again
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
