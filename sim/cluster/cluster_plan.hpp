// What a seed makes of a simulated cluster: its members, its users' work, what goes wrong and how long.
#pragma once

#include "sim/cluster/cluster_disks.hpp"
#include "sim/cluster/cluster_faults.hpp"
#include "sim/cluster/cluster_rules.hpp"
#include "sim/cluster/cluster_workload.hpp"

namespace cairn::sim {

struct cluster_plan {
  std::size_t nodes = 3;
  std::size_t at_first = 3;                                          // the others join in the middle of it
  bool drains = false, replaces_disks = false, long_absence = false; // of the last node
  bool commands = false, removes = false; // an operator's, of any kind; a drained node at the end
  bool looks_for_leftovers = false;       // at the end: chunks that nothing needs
  std::uint32_t old_level = 0;            // of the builds that some nodes begin with; 0: all are new
  bool rots = false, scrubs = false;      // bits; found by operators' commands, not by readers
  bool rows_rot = false;                  // of one node's metadata
  fault_plan faults;
  disk_fault_plan disk_faults;
  rules_plan rules; // of lifecycles
  bool crashes = false, power_losses = false, partitions = false, broken_links = false, late_messages = false;
  microseconds trouble{0}; // how long
  microseconds pause_max{2'000'000};
  network_plan calm_net, rough_net;
  member_plan member;
  cluster_work_plan work;
};
// `d` at its beginning, of the same seed. Hostile: with faults of processes, clocks, payloads and disks, and other
// kinds of clusters and of work.
cluster_plan draw_cluster_plan(dice& d, std::uint64_t seed, bool hostile);
std::string to_string(const cluster_plan& p); // for people

} // namespace cairn::sim
