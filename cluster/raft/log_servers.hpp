// The server id of a node in the metadata's log: its node number + 1, because server id 0 means none.
#pragma once

#include "base/ids.hpp"
#include "cluster/raft/raft_types.hpp"

namespace cairn::cluster {

constexpr raft::server_id server_of(node_number node) {
  return raft::server_id{node} + 1;
}
constexpr node_number node_of(raft::server_id server) { // server > 0
  return static_cast<node_number>(server - 1);
}

} // namespace cairn::cluster
