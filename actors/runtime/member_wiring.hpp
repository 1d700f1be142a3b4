// How the parts of a cluster's member are put together, apart from where its disks, threads and sockets come from:
// production (actors/runtime/cluster_member.cpp, actors/runtime/storage_node.cpp) and the simulator build the same
// member through these functions. What the structs point to outlives what is made of it.
#pragma once

#include "actors/chunks/chunk_router.hpp"
#include "actors/chunks/chunk_service.hpp"
#include "actors/metadata/log/replicated_log.hpp"
#include "actors/protocol/actor_slot.hpp"
#include "cluster/cluster_identity.hpp"
#include "storage/kv/kv.hpp"

namespace cairn::actors {

// All but the identity outlives what is opened.
struct member_log_services {
  storage::kv_engine* engine = nullptr; // cluster::raft::raft_log_tables tables
  storage::metadata::store* store = nullptr;
  const storage::cluster_identity* identity = nullptr;
  storage::metadata::new_node self;
  std::uint8_t replicas = 3, write_quorum = 0; // of the cluster, when this node founds it
  storage::executor* writes = nullptr;         // one thread
  storage::executor* reads = nullptr;
  snapshot_transfer_services transfer; // its folder is made
  peers* network = nullptr;
  const storage::clock* clock = nullptr;
  storage::random_source* random = nullptr;
  // Whether a log that failed for lack of room may be opened anew; blocking. Empty: it always may.
  std::function<bool()> has_room;
  std::shared_ptr<storage::kv_damage> damage, log_damage; // of the state, of the log; may be null
  storage::counter* repaired = nullptr;                   // counts repairs of the state; may be null
};
// The member's copy of the metadata's log, its consensus engine started. A founder that did not get as far as its
// cluster's first entry begins it; what a crash left between the log and the state is finished. Errors: io_error,
// corrupt, no_space.
result<std::shared_ptr<replicated_log_services>> open_member_log(const member_log_services& parts);

// Consensus, membership and, where there is a admin_service, operators' requests for the peers; before the links start.
void serve_members(peer_service& service, actor_slot_ptr<metadata_actor> metadata,
                   actor_slot_ptr<membership_actor> membership,
                   actor_slot_ptr<admin_service_actor> admin_service = nullptr);

struct member_chunk_services {
  std::shared_ptr<const store_router> local;
  std::shared_ptr<layout_holder> layouts;
  std::shared_ptr<peers> network;
  std::shared_ptr<storage::buffer_pool> buffers, peer_buffers; // of the gateway; for what peers send and read
  storage::node_metrics* metrics = nullptr;
  const storage::clock* clock = nullptr;
  std::size_t servers = 2;  // actors that serve peers
  bool disk_closed = false; // one of this node's disks did not open
};
struct member_chunks {
  std::unique_ptr<chunk_service> service; // this node's chunks for its peers
  std::shared_ptr<const chunk_router> router;
};
// Serves this node's chunks through `service` and reaches the peers'.
member_chunks open_member_chunks(caf::actor_system& system, const member_chunk_services& parts, peer_service& service);

} // namespace cairn::actors
