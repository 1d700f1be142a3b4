// Scrubs the disks of a standalone node: reads and verifies what they hold, and reports damaged chunks that objects
// need (an error in the log, a metric). There is no other copy to fetch; in a cluster actors/upkeep/backfill scrubs and
// repairs.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "base/execution/executor.hpp"
#include "base/metrics.hpp"
#include "storage/chunks/chunk_store.hpp"
#include "storage/metadata/store.hpp"

namespace cairn::actors {

// All of it outlives the actor and the executor's jobs.
struct scrubber_services {
  storage::metadata::store* store = nullptr;
  executor* work = nullptr; // blocking reads
  std::vector<storage::chunk_store*> disks;
  node_metrics* metrics = nullptr;
  const cairn::clock* clock = nullptr;
  std::chrono::seconds period{};
  std::chrono::milliseconds interval{1000};
};

scrubber_actor spawn_scrubber(caf::actor_system& system, scrubber_services services);

} // namespace cairn::actors
