// Whom this node talks to over its links: the members that the log names, each no older than the log has seen it, and
// for a node that is a member itself also strangers, who may ask to join (peer_service keeps them to that). Plain class
// without locks or clocks.
//
// Errors: invalid_argument, each with a text that says what the operator has to look at; the peer logs it too.
#pragma once

#include "actors/link/peers.hpp"

#include <map>

namespace cairn::actors {

class membership_gate {
public:
  void set_members(const std::vector<peer_address>& members);

  // Somebody connects to this node. `own_cluster`: all zero while this node is of none. invalid_argument; for an older
  // start of a member precondition_failed, which tells that node that it will never be let in.
  result<void> admit(const link::peer& other, const storage::uuid& own_cluster) const;
  // Somebody answered whom this node dialled as a member. invalid_argument.
  result<void> accept(const link::peer& other) const;

private:
  result<void> check(const link::peer& other) const;

  std::map<storage::uuid, std::uint64_t> incarnations_; // of the members, the newest known
};

} // namespace cairn::actors
