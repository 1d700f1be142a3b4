// Answers operators on a member of a cluster: the status as the leader sees it, and commands, which the leader executes
// and the other members forward to it. The membership controller decides what follows from a command: which node owns
// which partition, which nodes vote.
#pragma once

#include "actors/link/peers.hpp"
#include "actors/protocol/cluster_state.hpp"
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/layout_holder.hpp"
#include "base/execution/executor.hpp"
#include "base/seams.hpp"
#include "storage/metadata/store.hpp"

namespace cairn::actors {

// Everything here outlives the actor and the executors' jobs.
struct admin_services {
  metadata_actor metadata;
  membership_actor membership;
  storage::metadata::store* store = nullptr;
  executor* reads = nullptr;
  std::shared_ptr<layout_holder> layout;
  std::shared_ptr<cluster_state> state;
  peers* network = nullptr;
  const cairn::clock* clock = nullptr;
  std::string cluster_name;
  random_source* random = nullptr;            // for join tokens
  std::chrono::milliseconds down_after{6000}; // the same as the membership controller's
};

admin_service_actor spawn_admin_service(caf::actor_system& system, admin_services services);

} // namespace cairn::actors
