// The layout: who the members are and who owns each partition, as one value. A partition has `current` owners, which
// hold everything in it, and `target` owners, which are to; they are equal when nothing has to move. Plans replace only
// targets (layout_plan.hpp); current follows when the new owners have compared (comparisons.hpp) and every live session
// writes to the targets. Before a move that only removes replicas, the remaining owners compare too: nobody else would
// bring what one of them lacks. Before one that leaves a single owner, that owner also reads and verifies its copies:
// the other replicas are dropped, and an undetected damaged copy would be the last.
//
//   write: sent to current and target; the quorum is counted on current. One current owner: 1, two: both (an
//          acknowledged write survives either disk, and nothing is written while one is away), three: 2, n: a majority,
//          unless the cluster is configured otherwise.
//   read:  current first, then the rest of target.
//   fence: a partition remembers the epoch in which its owners last changed. A write made by an older layout is refused
//          with stale_layout; its sender reads the newer layout from the log and sends the write anew. Requests for
//          other partitions go on.
//
// The layout is kept in the metadata (storage/metadata/rows/cluster_rows.hpp, layout_view.hpp), of which every member
// has a copy. Plain values and pure functions; indexes of members are the nodes' numbers.
#pragma once

#include "storage/metadata/rows/cluster_rows.hpp"

#include <vector>

namespace cairn::cluster {

using member = storage::metadata::node_row;
using member_state = storage::metadata::node_state;

inline bool is_member(const member& m) {
  return m.state != member_state::removed;
}
using member_index = storage::node_number;
using storage::layout_epoch;
using storage::partition_id;
using storage::metadata::owner_list;
using storage::metadata::partition_owners;
using storage::metadata::write_quorum;
using owner_union = storage::metadata::node_list<2 * storage::metadata::owners_max>;

struct layout {
  storage::uuid cluster{};
  layout_epoch epoch = 0;
  std::uint8_t replicas = 3;
  std::uint8_t write_quorum = 0;            // 0: a majority
  std::vector<member> members;              // by number, also those that were removed
  std::vector<partition_owners> partitions; // all of them, or none in a layout without members
  friend bool operator==(const layout&, const layout&) = default;
};

// ── reading and writing ──

owner_union read_owners(const layout& l, partition_id partition);

struct write_route {
  owner_union nodes;       // current first
  std::size_t counted = 0; // the first so many count for the quorum
  std::size_t quorum = 0;
};
write_route route_write(const layout& l, partition_id partition);

enum class fenced : std::uint8_t {
  serve,
  requester_behind, // refuse with stale_layout
  store_behind,     // refuse with busy: this node has to apply the log up to that layout first
};
fenced fence(const layout& l, partition_id partition, layout_epoch request_epoch);

// ── moving ──

bool only_shrinks(const partition_owners& owners);  // some owners go, none come
bool will_be_alone(const partition_owners& owners); // one member is to be left with the partition

// Whether a member may delete its chunks of the partition: it owns none of it, and every live session has acknowledged
// that (`acknowledged`: the lowest epoch). A chunk that a repair names stays nevertheless. One that is out was taken
// for gone, not asked to go: what it has stays until it counts again.
bool may_drop(const layout& l, partition_id partition, member_index who, layout_epoch acknowledged);

struct movement {
  std::size_t partitions = 0;                    // with a target that differs from current
  std::size_t copies = 0;                        // (partition, new owner) pairs
  std::vector<std::uint32_t> incoming, outgoing; // copies by member
};
movement pending_moves(const layout& l);

std::vector<std::uint32_t> owned_partitions(const layout& l); // targets by member

} // namespace cairn::cluster
