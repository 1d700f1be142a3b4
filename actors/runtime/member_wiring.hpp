// Puts the services of a cluster member together, except for its disks, threads and sockets: production
// (actors/runtime/cluster_member.cpp, actors/runtime/storage_node.cpp) and the simulator build the same member with
// these functions. The objects that the structs point to outlive the results.
#pragma once

#include "actors/chunks/chunk_router.hpp"
#include "actors/chunks/chunk_service.hpp"
#include "actors/metadata/log/replicated_log.hpp"
#include "actors/protocol/actor_slot.hpp"
#include "cluster/cluster_identity.hpp"

namespace cairn::actors {

// Everything except the identity outlives the result.
struct member_log_services {
  std::shared_ptr<cluster::raft::raft_log> log;
  storage::metadata::store* store = nullptr;
  const cluster::cluster_identity* identity = nullptr;
  storage::metadata::new_node self;
  std::uint8_t replicas = 3, write_quorum = 0; // settings of the cluster if this node founds it
  executor* writes = nullptr;                  // one thread
  executor* reads = nullptr;
  snapshot_transfer_services transfer; // its folder is created
  peers* network = nullptr;
  const cairn::clock* clock = nullptr;
  random_source* random = nullptr;
  // Whether a log that failed for lack of room may be reopened; blocking. Empty: always.
  std::function<bool()> has_room;
  std::shared_ptr<storage::kv_damage> damage, log_damage; // in the files of the state; of the log; may be null
  counter* repaired = nullptr;                            // counts repairs of the state; may be null
  std::shared_ptr<const cluster_state> state;             // may be null: what others have applied is not known
  log_index applied_before = 0; // by earlier starts (base/files/applied_record.hpp); 0: unknown
};
// Opens the member's copy of the metadata's log and starts its consensus engine. Begins the log of a founder that has
// no first entry yet; completes an install that a crash interrupted between the log and the state. Errors: io_error,
// corrupt, no_space; precondition_failed: the log was put back from an older image.
result<std::shared_ptr<replicated_log_services>> open_member_log(const member_log_services& services);

// Registers the handlers for consensus, membership and, if there is an admin_service, for operators' requests. Call
// before the links start.
void serve_members(peer_service& service, actor_slot_ptr<metadata_actor> metadata,
                   actor_slot_ptr<membership_actor> membership,
                   actor_slot_ptr<admin_service_actor> admin_service = nullptr);

struct member_chunk_services {
  std::shared_ptr<const store_router> local;
  std::shared_ptr<layout_holder> layouts;
  std::shared_ptr<peers> network;
  std::shared_ptr<buffer_pool> buffers, peer_buffers; // the gateway's; the separate pool for peers' requests
  node_metrics* metrics = nullptr;
  const cairn::clock* clock = nullptr;
  std::size_t servers = 2;  // actors that serve peers
  bool disk_closed = false; // one of this node's disks did not open
};
struct member_chunks {
  std::unique_ptr<chunk_service> service; // this node's chunks for its peers
  std::shared_ptr<const chunk_router> router;
};
// Serves this node's chunks through `service`, and creates the router to the peers' chunks.
member_chunks open_member_chunks(caf::actor_system& system, const member_chunk_services& services,
                                 peer_service& service);

} // namespace cairn::actors
