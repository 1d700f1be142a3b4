// Fetches the chunks that this node is to own, and drops the chunks that it does not own any more:
//
// - repair: chunks that a commit did not confirm on this node (repair rows) are fetched and confirmed;
// - comparison: for the partitions that the node is to own, each blob of the metadata is compared with the disks, and
//   missing chunks are fetched. Then the partition is complete (cluster/layout/comparisons.hpp), and the leader makes
//   the node one of its current owners. Where the node is to be the only owner, its chunks are also read and verified,
//   and damaged ones fetched, before the other owners drop theirs. At the start and then daily, everything that the
//   node owns is compared without reading, so that a lost or replaced disk is filled again;
// - scrub: each round reads and verifies a part of what the disks hold, so that everything is read once in
//   scrub_period. Damaged chunks are fetched again and replaced; chunks that readers find damaged are fetched at once;
// - drop: chunks of partitions that moved away are deleted when every live session knows the move and no repair needs
//   them, by a state of the metadata that is current when the drop begins.
//
// A chunk is read from the best of its other owners, after a failure from the next. Up to `parallel` chunks are in
// flight, at `bandwidth` bytes a second in total, verified bytes included. A chunk that could not be fetched is logged
// and tried again in the next round, while an object needs it and no operator has given it up (lost_chunks.hpp). No
// progress is stored on disk: after a restart the comparison skips what is present.
#pragma once

#include "actors/chunks/damaged_chunks.hpp"
#include "actors/protocol/cluster_state.hpp"
#include "actors/protocol/node.hpp"
#include "actors/upkeep/backfill_pages.hpp"
#include "storage/metadata/store.hpp"

namespace cairn::actors {

struct backfill_options {
  std::chrono::milliseconds interval{1000}, retry_pause{5000}, drop_pause{30'000}, repair_pause{5000};
  std::chrono::hours check_every{24};
  std::chrono::seconds scrub_period{std::chrono::hours{30 * 24}};
  std::uint32_t parallel = 8; // chunks in flight
};

// All of it outlives the actor and the executor's jobs.
struct backfill_services {
  services node; // its buffers are used for fetched chunks
  storage::metadata::store* store = nullptr;
  executor* work = nullptr; // blocking reads of metadata and indexes
  std::shared_ptr<cluster_state> state;
  local_chunks own;
  std::vector<storage::chunk_store*> scrubbed;                 // the disks; may be none
  std::shared_ptr<damaged_chunks> damaged;                     // chunks that reads found damaged; may be null
  bool disk_closed = false;                                    // one of the node's disks did not open
  std::shared_ptr<const std::atomic<std::uint64_t>> bandwidth; // bytes a second
};

backfill_actor spawn_backfill(caf::actor_system& system, backfill_services services, backfill_options options = {});

} // namespace cairn::actors
