// The layout: the members and the owners of each partition, as one value. A partition has `current` owners, which hold
// all its chunks, and `target` owners, which are to hold them; the two are equal when nothing has to move. Plans change
// only targets (layout_plan.hpp). Targets become current when the new owners have compared the partition
// (comparisons.hpp) and every live session writes to the targets. Before a move that only removes replicas, the
// remaining owners compare too: no other node would bring them what they lack. Before a move that leaves a single
// owner, that owner also reads and verifies its chunks: once the other replicas are dropped, an undetected damaged copy
// would be the last.
//
//   write: sent to current and target; the quorum is counted on current: 1 of one owner, 2 of two (an acknowledged
//          write survives the loss of either disk, and no write succeeds while one owner is away), a majority of three
//          or more, unless the cluster is configured otherwise.
//   read:  current first, then the rest of target.
//   fence: a partition remembers the epoch in which its owners last changed. A write under an older layout is refused
//          with stale_layout; its sender reads the newer layout from the metadata and repeats the write. Requests for
//          other partitions are not affected.
//
// The layout is part of the metadata (storage/metadata/rows/cluster_rows.hpp, layout_view.hpp), so every member has a
// copy. Plain values and pure functions; a member's index is its node number.
#pragma once

#include "storage/metadata/rows/cluster_rows.hpp"

#include <string_view>
#include <vector>

namespace cairn::cluster {

using member = storage::metadata::node_row;
using member_state = storage::metadata::node_state;

inline bool is_member(const member& m) {
  return m.state != member_state::removed;
}
bool valid_address(std::string_view address); // of a member: not empty, not too long, no spaces and controls
// Whether a member is reached at the address that it reports, and not at the layout's. Not at an address of all
// interfaces: such a member has lost its cluster.advertise.
bool has_moved(const member& m, std::string_view reported);

using member_index = node_number;
using storage::metadata::owner_list;
using storage::metadata::partition_owners;
using storage::metadata::write_quorum;
using owner_union = storage::metadata::node_list<2 * storage::metadata::owners_max>;

struct layout {
  uuid cluster{};
  layout_epoch epoch = 0;
  std::uint8_t replicas = 3;
  std::uint8_t write_quorum = 0;            // 0: a majority
  std::vector<member> members;              // by number, including removed ones
  std::vector<partition_owners> partitions; // all of them, or none in a layout without members
  friend bool operator==(const layout&, const layout&) = default;
};

// ── reading and writing ──

owner_union read_owners(const layout& l, partition_id partition);

struct write_route {
  owner_union nodes;       // current first
  std::size_t counted = 0; // the first `counted` nodes count for the quorum
  std::size_t quorum = 0;
};
write_route route_write(const layout& l, partition_id partition);

enum class fenced : std::uint8_t {
  serve,
  requester_behind, // refuse with stale_layout
  store_behind,     // refuse with busy: this node must first apply the log up to the request's layout
};
fenced fence(const layout& l, partition_id partition, layout_epoch request_epoch);

// ── moving ──

bool only_shrinks(const partition_owners& owners);        // some owners are dropped, none is added
bool leaves_single_owner(const partition_owners& owners); // the move leaves a single owner

// Whether a member may delete its chunks of the partition: it is no owner, and every live session has acknowledged that
// (`acknowledged`: the lowest epoch). A chunk that a repair names is kept all the same. A member that is out was
// presumed lost: it keeps its chunks until it is active again, because they may be needed.
bool may_drop(const layout& l, partition_id partition, member_index who, layout_epoch acknowledged);

struct movement {
  std::size_t partitions = 0;                    // with a target that differs from current
  std::size_t copies = 0;                        // (partition, new owner) pairs
  std::vector<std::uint32_t> incoming, outgoing; // copies by member
};
movement pending_moves(const layout& l);

std::vector<std::uint32_t> owned_partitions(const layout& l); // targets by member

} // namespace cairn::cluster
