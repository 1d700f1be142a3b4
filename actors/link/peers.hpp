// The other nodes of the cluster, as this node reaches them: small requests, payloads in both directions. A seam: in
// production node links (actors/link/link_peers.hpp), in the simulation a network that delays, loses and partitions.
//
// Every request is answered exactly once, never inside the call itself, on any thread; the callback may only post. Its
// errors are those of link/peer_link.hpp: the peer's own answer, or connection_lost (also for an unknown or unreachable
// node), timeout, busy, too_large, cancelled, stopping. After connection_lost and timeout the request may have been
// executed or not. Methods may be called from any thread.
#pragma once

#include "actors/link/request_table.hpp"
#include "base/ids.hpp"

#include <string>
#include <vector>

namespace cairn::actors {

struct peer_address {
  uuid id{};
  std::string address;           // host:port of its node link
  std::uint64_t incarnation = 0; // the newest that the log has seen; older ones are refused; 0: not known
  bool removed = false;          // from the cluster: not dialled, and told so when it connects
  friend bool operator==(const peer_address&, const peer_address&) = default;
};

class peers {
public:
  virtual ~peers() = default;

  // A small request and a small answer, on the control lane.
  virtual link::request_number call(const uuid& to, std::string request, steady_time deadline,
                                    link::reply_callback reply) = 0;
  // A small request; the payload of the answer is received into `into`. After an error a piece may still arrive there:
  // return the buffer to its pool and do not reuse it.
  virtual link::request_number call_bulk(const uuid& to, std::string request, slice into, steady_time deadline,
                                         link::reply_callback reply) = 0;
  // A request with a payload, a small answer. The payload must not change until the answer.
  virtual link::request_number send_bulk(const uuid& to, std::string request, slice payload, steady_time deadline,
                                         link::reply_callback reply) = 0;
  virtual void cancel(const uuid& to, link::request_number n) = 0;

  virtual bool up(const uuid& node) const = 0; // cheap
  // The nodes that this node may talk to, without itself, and the removed ones. Links to other nodes end; links to new
  // ones are dialled.
  virtual void set_members(const std::vector<peer_address>& members) = 0;
};

} // namespace cairn::actors
