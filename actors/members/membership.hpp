// Membership of one node. Each second the node reports its state to the leader. The leader executes the decisions of
// the membership controller (cluster/membership_controller.hpp): which nodes are down, join and vote, and which nodes
// own which partitions. Other members forward join requests to the leader; actors/members/join_service.hpp handles
// them.
#pragma once

#include "actors/link/peers.hpp"
#include "actors/protocol/cluster_state.hpp"
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/layout_holder.hpp"
#include "base/execution/executor.hpp"
#include "cluster/admission.hpp"
#include "cluster/cluster_identity.hpp"
#include "cluster/membership_controller.hpp"
#include "storage/metadata/store.hpp"

namespace cairn::actors {

struct disk_use {
  std::uint64_t used_bytes = 0, capacity_bytes = 0; // of their file systems
  std::uint64_t data_bytes = 0;                     // of live chunks
  bool takes_writes = true;
  std::size_t closed = 0; // disks that are not open, or quarantined
};

// Everything here outlives the actor and the executors' jobs.
struct membership_services {
  metadata_actor metadata;
  storage::metadata::store* store = nullptr;
  executor* reads = nullptr;
  std::shared_ptr<layout_holder> layout;
  std::shared_ptr<cluster_state> state;
  peers* network = nullptr;
  const cairn::clock* clock = nullptr;
  storage::metadata::new_node self; // as this node reports itself
  std::string cluster_name;
  std::function<disk_use()> disks; // cheap, any thread
  cluster::controller_options controller;
  cluster::founding_rules founding;
  std::function<wall_ms()> certificate_end; // of this node's links, 0: none; cheap. May be empty.
  // Why peers refuse this node for good, if they do; cheap. May be empty.
  std::function<std::optional<std::string>()> refusal;
  std::function<void(std::uint8_t)> feature_level; // called with the cluster's level each tick; cheap. May be empty.
  // Called once, when this node is refused for good: stores that, and ends the node. Blocking; on `reads`. May be
  // empty.
  std::function<void(const std::string& why)> remember_refusal;
  // The members in this node's file of known members, and the function that replaces the file: blocking; on `reads`,
  // one at a time.
  std::vector<cluster::known_member> remembered;
  std::function<result<void>(const std::vector<cluster::known_member>&)> remember_members; // may be empty
  // Called with the applied index of the metadata each tick; cheap. May be empty.
  std::function<void(log_index)> remember_applied;
  // Sends a request to the configuration's addresses, one after the other; used when no known member can be reached.
  // May be empty.
  std::function<void(std::string request, link::reply_callback reply)> ask_configured;
};

membership_actor spawn_membership(caf::actor_system& system, membership_services services);

} // namespace cairn::actors
