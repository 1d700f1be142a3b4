// Scrubs a node's metadata: reads all rows of the state and all records of the log once in a period, some each second,
// so that damage is found before it is met. State and log record the damage (storage/kv/kv_damage.hpp); a member of a
// cluster then fetches the state from another member, or leaves the consensus.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "base/execution/executor.hpp"
#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "storage/kv/kv_check.hpp"

namespace cairn::actors {

// Reads about so many rows; storage/kv/kv_check.hpp, cluster/raft/log/log_check.hpp.
using metadata_check = std::function<storage::kv_checked(std::size_t rows)>;

// All of it outlives the actor and the executor's jobs.
struct metadata_scrub_services {
  std::vector<metadata_check> checks; // one after the other
  executor* work = nullptr;           // blocking reads
  node_metrics* metrics = nullptr;
  const cairn::clock* clock = nullptr;
  std::chrono::seconds period{};
  std::chrono::milliseconds interval{1000};
  std::size_t rows_a_step = 4096;
};

scrubber_actor spawn_metadata_scrub(caf::actor_system& system, metadata_scrub_services services);

} // namespace cairn::actors
