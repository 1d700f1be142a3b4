// The other nodes of the cluster, as this one reaches them: small requests, payloads out, payloads in. A seam: in
// production node links (actors/link/link_peers.hpp), in simulation a network that delays, loses and cuts.
//
// Every request is answered exactly once, never inside the call itself, by whatever thread; the callback must only
// post. Its errors are those of link/peer_link.hpp: the peer's own answer, or connection_lost (also for a node that is
// unknown or not reachable now), timeout, busy, too_large, cancelled, stopping. After connection_lost and timeout the
// request may or may not have been done. Methods may be called from any thread.
#pragma once

#include "actors/link/request_table.hpp"
#include "base/ids.hpp"

#include <string>
#include <vector>

namespace cairn::actors {

struct peer_address {
  storage::uuid id{};
  std::string address;           // host:port of its node link
  std::uint64_t incarnation = 0; // the newest that the log has seen: an older one is refused; 0: not known
  friend bool operator==(const peer_address&, const peer_address&) = default;
};

class peers {
public:
  virtual ~peers() = default;

  // Small bytes out and back, on the control lane.
  virtual link::request_number call(const storage::uuid& to, std::string request, storage::steady_time deadline,
                                    link::reply_callback reply) = 0;
  // Small bytes out; the payload of the answer lands in `into`. After an error a piece may still land there: give the
  // buffer back to its pool and don't reuse it.
  virtual link::request_number call_bulk(const storage::uuid& to, std::string request, storage::slice into,
                                         storage::steady_time deadline, link::reply_callback reply) = 0;
  // Bytes and a payload out, small bytes back. The payload must not change until the answer.
  virtual link::request_number send_bulk(const storage::uuid& to, std::string request, storage::slice payload,
                                         storage::steady_time deadline, link::reply_callback reply) = 0;
  virtual void cancel(const storage::uuid& to, link::request_number n) = 0;

  virtual bool up(const storage::uuid& node) const = 0; // cheap
  // Whom this node may talk to, itself not among them. Links to others end; new ones are dialled.
  virtual void set_members(const std::vector<peer_address>& members) = 0;
};

} // namespace cairn::actors
