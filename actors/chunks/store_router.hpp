// Which disk of this node holds a chunk. Partitions are spread over the disks by weighted rendezvous hashing. A chunk
// is written to the best-ranked disk that takes writes and has room, so the chunks of a failed or full disk go to the
// others; when all are full, to the best-ranked one that takes writes, which answers no_space unless it fits. Reads ask
// the disks in the order of their rank: normally the first has the chunk; after a failure or a change of storage.disks
// a later one may. The node stores no table of chunk locations that could disagree with the disks.
//
// Immutable, shared by all downloads and uploads, any thread.
#pragma once

#include "actors/chunks/chunk_store.hpp"
#include "cluster/layout/placement.hpp"

#include <optional>

namespace cairn::actors {

class store_router {
public:
  struct member {
    cluster::placement_member place;       // the disk's UUID and weight
    std::vector<chunk_store_actor> actors; // as spawn_chunk_stores made them
    std::shared_ptr<const disk> state;     // null: always takes writes
  };
  explicit store_router(std::vector<member> disks); // at least one

  std::size_t disks() const noexcept { return members_.size(); }
  // The actor that reads the chunk from the disk of this rank (below disks()).
  const chunk_store_actor& reader(const chunk_id& chunk, std::size_t rank) const;
  // The actor that writes a new chunk; null when no disk takes writes.
  const chunk_store_actor* writer(const chunk_id& chunk) const;
  // The writing actor of the disk with this number, for the reaper and backfill.
  const chunk_store_actor& disk_writer(std::size_t number) const { return members_[number].actors.front(); }

private:
  std::vector<member> members_;
  cluster::placement placement_;
};

} // namespace cairn::actors
