// Serves this node's chunks to its peers: read_chunk, write_chunk and erase_chunks (actors/protocol/chunk_messages.hpp)
// on the local disks. Several actors share the requests.
//
// - Buffers come from a separate pool, a part of limits.memory that no client's stream can use. A request waits for
//   nothing but the disks: without a free buffer the peer gets busy, so two nodes never wait for each other's memory.
// - A read asks the disks in the order of their rank. The first that has the chunk answers it; otherwise the answer is
//   the failure with the greatest weight (retry_policy.hpp). The store has verified the bytes; the requester gets a
//   checksum of the payload too.
// - A write is durable when it is answered. A write under a layout older than the partition's last change gets
//   stale_layout. A write under a layout that this node does not know yet gets busy: until it knows that layout, it may
//   delete the chunk as a stray.
// - Requests that were cancelled or whose deadline has passed are not executed.
#pragma once

#include "actors/chunks/store_router.hpp"
#include "actors/link/peer_service.hpp"
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/layout_holder.hpp"
#include "base/metrics.hpp"

#include <map>
#include <mutex>

namespace cairn::actors {

// One memory account for each peer, so that a slow peer leaves buffers to the others. Thread-safe.
class peer_accounts {
public:
  account_ptr of(const uuid& node);

private:
  std::mutex mutex_;
  std::map<uuid, account_ptr> accounts_; // of members: at most 64
};

struct chunk_server_services {
  std::shared_ptr<const store_router> stores;
  std::shared_ptr<const layout_holder> layouts;
  std::shared_ptr<buffer_pool> buffers; // all buffers return before it is destroyed: stop the link server first
  node_metrics* metrics = nullptr;
  const cairn::clock* clock = nullptr;
  std::shared_ptr<peer_accounts> accounts = std::make_shared<peer_accounts>();
  bool disk_closed = false; // a chunk that the open disks lack may be on the closed one: quarantined, not not_found
};

class chunk_service {
public:
  chunk_service(caf::actor_system& system, const chunk_server_services& services, std::size_t actors);
  // The handlers and the allocator of payloads; call before the link server starts.
  void serve_at(peer_service& service) const;
  // Requests that are not answered yet, and later ones, end in cancelled.
  void stop();

private:
  std::shared_ptr<buffer_pool> buffers_;
  std::shared_ptr<peer_accounts> accounts_;
  std::vector<chunk_server_actor> servers_;
};

} // namespace cairn::actors
