// The chunk store of a peer as an ordinary actor handle: reads, writes and erases become requests over actors::peers
// (actors/protocol/chunk_messages.hpp); drop and list are unsupported. The payload of a read is received into the
// buffer of the request, the payload of a write is sent from its slice: nothing is copied. Payloads are verified
// against their checksum (corrupt).
//
// Every request is answered within its timeout, with connection_lost at once when the peer cannot be reached. After a
// read failed the link may still hold its buffer, and may write into it after a timeout: use another buffer.
// A read that takes longer than overdue_after counts against the peer's health. A suspect peer is probed once a second
// with a read of one byte of the chunk that was overdue last.
#pragma once

#include "actors/chunks/peer_health.hpp"
#include "actors/link/peers.hpp"
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/layout_holder.hpp"
#include "base/metrics.hpp"

namespace cairn::actors {

struct remote_store_services {
  std::shared_ptr<peers> network;
  std::shared_ptr<const layout_holder> layouts; // its epoch is sent where the request has none
  std::shared_ptr<buffer_pool> buffers;         // for probes
  node_metrics* metrics = nullptr;
  const cairn::clock* clock = nullptr;
  std::chrono::milliseconds read_timeout{5000}, write_timeout{10000}, overdue_after{1000};
};

struct remote_store {
  chunk_store_actor store;
  std::shared_ptr<const peer_health> health;
};
remote_store spawn_remote_store(caf::actor_system& system, remote_store_services services, const uuid& peer);

} // namespace cairn::actors
