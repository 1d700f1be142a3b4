// One disk behind actors: several actors share its reads, so that verification uses several cores; the first one also
// gathers writes into group commits, erases and punches. A read that is in memory is answered on the actor's own
// thread; all other work runs on the disk's executors and returns as a completion.
//
// Every request is answered within read_timeout or write_timeout. A disk whose executor runs one job for longer than
// overdue_after is failed until that job ends: it answers io_error at once. While the disk is full, the first actor
// tries every few seconds whether there is room again.
//
// Memory: a queued read holds its requester's buffer until its job has ended, also when the requester is gone.
#pragma once

#include "actors/chunks/damaged_chunks.hpp"
#include "actors/protocol/interfaces.hpp"
#include "base/execution/executor.hpp"
#include "base/metrics.hpp"

#include <atomic>

namespace cairn::actors {

// What the actors of one disk share. The referenced objects outlive the actors and the executors' jobs.
struct disk {
  static constexpr std::chrono::seconds overdue_after{30};

  storage::chunk_store& store;
  executor& reads;
  executor& writes; // one thread
  node_metrics& metrics;
  const cairn::clock& clock;
  std::chrono::milliseconds read_timeout{5000}, write_timeout{30000};
  std::atomic<std::int64_t> read_delay_us{0}; // debug.read_delay
  std::shared_ptr<damaged_chunks> damaged;    // gets the chunks that reads find damaged; may be null

  // Written by the first actor, read by any thread.
  std::atomic<bool> overdue{false}, full{false};
  std::atomic<storage::disk_state> state{storage::disk_state::healthy};

  disk(storage::chunk_store& s, executor& r, executor& w, node_metrics& m, const cairn::clock& c)
      : store(s), reads(r), writes(w), metrics(m), clock(c) {}
  bool has_room() const noexcept { return !full.load(std::memory_order_relaxed); }
  // A full disk does: a write may still fit, and shows that there is room again.
  bool takes_writes() const noexcept {
    return !overdue.load(std::memory_order_relaxed) &&
           state.load(std::memory_order_relaxed) == storage::disk_state::healthy;
  }
};

// The first of the `count` (at least 1) actors is the writer; the others delegate writes, erases and drops to it.
std::vector<chunk_store_actor> spawn_chunk_stores(caf::actor_system& system, std::shared_ptr<disk> d,
                                                  std::size_t count);

// Takes the place of a node's disks when none of them opened: answers `quarantined` to every request.
chunk_store_actor spawn_closed_store(caf::actor_system& system);

} // namespace cairn::actors
