// The plan that a seed draws for a simulated cluster: its members, its users' work, its faults and their duration.
#pragma once

#include "sim/cluster/cluster_disks.hpp"
#include "sim/cluster/cluster_faults.hpp"
#include "sim/cluster/cluster_rules.hpp"
#include "sim/cluster/cluster_workload.hpp"

namespace cairn::sim {

struct cluster_plan {
  std::size_t nodes = 3;
  std::size_t at_first = 3;                                          // the others join later
  bool drains = false, replaces_disks = false, long_absence = false; // long_absence: of the last node
  bool commands = false, removes = false; // operator commands of any kind; removal of a drained node at the end
  bool restores_disks = false;            // one of a node, from an image
  bool restores_metadata = false;         // all of a node's, from an image
  bool rescues = false;                   // two nodes are lost permanently
  bool looks_for_leftovers = false;       // checks at the end for chunks that no object needs
  std::uint32_t old_level = 0;            // feature level of the builds that some nodes start with; 0: all are current
  bool rots = false, scrubs = false;      // bits rot; operators' commands find them, not readers
  bool rows_rot = false;                  // in one node's metadata
  fault_plan faults;
  disk_fault_plan disk_faults;
  rules_plan rules; // lifecycle rules
  bool crashes = false, power_losses = false, partitions = false, broken_links = false, late_messages = false;
  microseconds trouble{0}; // duration of the faults
  microseconds pause_max{2'000'000};
  network_plan calm_net, rough_net;
  member_plan member;
  cluster_work_plan work;
};
// `d`: at its beginning, with the same seed. `hostile`: with faults of processes, clocks, payloads and disks, and with
// other kinds of clusters and of work.
cluster_plan draw_cluster_plan(dice& d, std::uint64_t seed, bool hostile);
std::string to_string(const cluster_plan& p); // as text

} // namespace cairn::sim
