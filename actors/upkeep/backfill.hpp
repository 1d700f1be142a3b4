// Brings to this node the chunks that it is to have, and lets go of those that it is not to have any more:
//
// - repair: chunks that a commit went through without this node (repair rows) are fetched and confirmed;
// - comparison: for partitions that the node is to own, each blob of the metadata is held against the disks, and
//   what is missing is fetched; then the partition is complete (cluster/layout/comparisons.hpp) and the leader makes
//   the node one of its current owners. Where it is to be the only one, what it has is read and verified, and what is
//   damaged fetched too, before the others let go of theirs. The same without reading for everything that it owns, at
//   the start and then daily: a disk that was lost or replaced is filled again;
// - scrubbing: some of what the disks hold is read and verified each round, so that all of it is once in scrub_period;
//   damaged chunks are fetched again, which replaces them; so are those that readers find damaged, at once;
// - dropping: chunks of partitions that moved away go when every live session knows it and no repair needs them.
//
// A chunk is read from the best of its other owners, then from the next; a few at a time, at `bandwidth` bytes a second
// together; verified bytes count too. What could not be had is logged and tried again in the next round, for as long as
// some object needs it and nobody has given it up (lost_chunks.hpp). Nothing is remembered on disk: after a restart the
// comparison passes over what is there.
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
  std::uint32_t parallel = 8; // chunks on their way
};

// All of it outlives the actor and the executor's jobs.
struct backfill_services {
  services node; // its buffers are those of the fetched chunks
  storage::metadata::store* store = nullptr;
  storage::executor* work = nullptr; // blocking reads of metadata and indexes
  std::shared_ptr<cluster_state> state;
  local_chunks own;
  std::vector<storage::chunk_store*> scrubbed;                 // the disks; may be none
  std::shared_ptr<damaged_chunks> damaged;                     // what reads of them met; may be null
  bool disk_closed = false;                                    // one of the node's disks did not open
  std::shared_ptr<const std::atomic<std::uint64_t>> bandwidth; // bytes a second
};

backfill_actor spawn_backfill(caf::actor_system& system, backfill_services services, backfill_options options = {});

} // namespace cairn::actors
