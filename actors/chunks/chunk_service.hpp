// This node's chunks for its peers: serves read_chunk, write_chunk and erase_chunks
// (actors/protocol/chunk_messages.hpp) from the disks of the node. Some actors share the requests.
//
// - Buffers come from a pool of its own, a part of limits.memory that no client's stream can use up. It waits for
//   nothing but its disks: without a buffer the peer gets busy, so two nodes never wait for each other.
// - A read asks the disks in the order of their rank and answers with the first that has the chunk, else with the
//   failure that says most. The store verified the bytes; a checksum goes along for the requester.
// - A write is durable when it is answered. Writes by a layout older than the partition's last change get stale_layout;
//   writes by one that this node has not learned yet get busy: until it knows the layout, it might delete the chunk.
// - What nobody waits for any more is not done.
#pragma once

#include "actors/chunks/store_router.hpp"
#include "actors/link/peer_service.hpp"
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/layout_holder.hpp"
#include "base/metrics.hpp"

#include <map>
#include <mutex>

namespace cairn::actors {

// Each peer's share of the buffers, so that one that sends or reads slowly leaves some to the others. Thread-safe.
class peer_accounts {
public:
  storage::account_ptr of(const storage::uuid& node);

private:
  std::mutex mutex_;
  std::map<storage::uuid, storage::account_ptr> accounts_; // of members, who are few
};

struct chunk_server_services {
  std::shared_ptr<const store_router> stores;
  std::shared_ptr<const layout_holder> layouts;
  std::shared_ptr<storage::buffer_pool> buffers; // whole again before it goes: stop the link server first
  storage::node_metrics* metrics = nullptr;
  const storage::clock* clock = nullptr;
  std::shared_ptr<peer_accounts> accounts = std::make_shared<peer_accounts>();
  bool disk_closed = false; // what the others have not may be on a disk that did not open: quarantined, not not_found
};

class chunk_service {
public:
  chunk_service(caf::actor_system& system, const chunk_server_services& parts, std::size_t actors);
  // The handlers and the allocator of payloads; before the link server starts.
  void serve_at(peer_service& service) const;
  // Requests that are not answered yet get cancelled, later ones too.
  void stop();

private:
  std::shared_ptr<storage::buffer_pool> buffers_;
  std::shared_ptr<peer_accounts> accounts_;
  std::vector<chunk_server_actor> servers_;
};

} // namespace cairn::actors
