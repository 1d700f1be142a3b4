// The cluster's status as one node knows it: plain values between the cluster's actors and the admin port. Sizes in
// bytes, times in milliseconds since 1970.
#pragma once

#include "cluster/auto_out.hpp"
#include "storage/metadata/rows/cluster_rows.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn::actors {

enum class metadata_role : std::uint8_t { none, standby, voter }; // the node's part in the metadata's consensus

struct cluster_node_status {
  node_number number = 0;
  uuid id{};
  std::string address, zone;
  std::uint32_t weight = 0;
  storage::metadata::node_state state = storage::metadata::node_state::active;
  bool up = false;
  wall_ms since = 0; // when it last came up or went down; 0: not known
  metadata_role role = metadata_role::none;
  std::uint32_t partitions_owned = 0, partitions_incoming = 0; // complete on the node; being moved to it
  // From its last report; a capacity of 0: no report yet. `used` is of the file systems, `data` of the chunks on them.
  std::uint64_t used_bytes = 0, capacity_bytes = 0, data_bytes = 0;
  std::uint64_t applied_index = 0;
  std::string fault; // why its copy of the metadata is out of service, in a word or two; empty: in service
  std::uint64_t closed_disks = 0;
  wall_ms certificate_end = 0; // the end of its link certificate; 0: not known
  friend bool operator==(const cluster_node_status&, const cluster_node_status&) = default;
};

// A node that has a certificate, asks to join, and waits for `cairn cluster add ID`.
struct waiting_status {
  uuid id{};
  std::string address;
  friend bool operator==(const waiting_status&, const waiting_status&) = default;
};

struct cluster_status {
  std::string name;
  uuid id{};
  std::uint8_t replicas = 0, write_quorum = 0; // 0: a majority
  layout_epoch epoch = 0;
  std::optional<node_number> leader; // nullopt: there is none, or this node does not know it
  std::uint64_t term = 0;
  node_number self = 0;
  wall_ms now = 0;
  std::vector<cluster_node_status> nodes; // by number, without removed nodes
  bool deletions_held = false;            // until an operator releases them
  // repairs_waiting: repair rows. bytes_to_move: an estimate, from the mean size of a partition.
  // partitions_under_replicated: with fewer complete replicas on nodes that are up than cluster.replicas, or than there
  // are nodes.
  std::uint64_t repairs_waiting = 0, bytes_to_move = 0, partitions_under_replicated = 0;
  // The voters of the log's committed configuration, by number; a removed node too, until its vote is taken away.
  // `voters_next`: the voters that the membership controller is changing to; empty when nothing changes.
  std::vector<node_number> voters, voters_next;
  std::uint64_t chunks_lost = 0;       // that no owner has and no operator has given up; on the leader
  cluster::out_decision auto_out;      // on the leader: why members that are down for long are not taken out
  std::vector<waiting_status> waiting; // on the leader
  friend bool operator==(const cluster_status&, const cluster_status&) = default;
};

} // namespace cairn::actors
