// The nodes that this node talks to over its links: the members that the log names, in no older incarnation than the
// log has seen. A member also accepts strangers, who may only ask to join (peer_service). A plain class without locks
// or clocks.
//
// Errors have a text for the operator, which the peer logs too.
#pragma once

#include "actors/link/peers.hpp"

#include <map>
#include <set>

namespace cairn::actors {

class membership_gate {
public:
  void set_members(const std::vector<peer_address>& members);

  // For a node that connects to this one. `own_cluster`: all zero while this node has no cluster. invalid_argument;
  // precondition_failed for an older start of a member, and for a removed one, which tells that node that the refusal
  // is permanent.
  result<void> admit(const link::peer& other, const uuid& own_cluster) const;
  // For a node that answered where this node dialled a member. invalid_argument.
  result<void> accept(const link::peer& other) const;

private:
  result<void> check(const link::peer& other) const;

  std::map<uuid, std::uint64_t> incarnations_; // the newest known incarnation of each member
  std::set<uuid> removed_;
};

} // namespace cairn::actors
