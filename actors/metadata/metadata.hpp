// The metadata behind one actor: look-ups from a cache of hot rows or a snapshot; commands gathered into batches that
// are applied one after the other (group commit). Blocking work runs on the two metadata executors.
//
// The actor begins a writer session when it starts, and retries each second until that succeeds. Commits and new blob
// ids wait for the session, look-ups do not. Every request is answered within read_timeout or commit_timeout. A commit
// that is answered with timeout may still be applied; one that is answered with another error was not applied and will
// not be.
//
// With a `log` the node is a member of a cluster: commits go through consensus; look-ups and listings wait until this
// node's state contains everything that was acknowledged before them on any node
// (actors/metadata/log/replicated_log.hpp), but for a bucket's row, parts, and what the reaper asks; the layout is
// published whenever the log changed it.
#pragma once

#include "actors/metadata/log/replicated_log.hpp"
#include "actors/metadata/metadata_fault.hpp"
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/layout_holder.hpp"
#include "actors/protocol/read_holds.hpp"
#include "base/execution/executor.hpp"
#include "base/metrics.hpp"
#include "base/secrets/key_ring.hpp"

#include <atomic>

namespace cairn::actors {

// What the actor uses; all of it outlives the actor and the executors' jobs.
struct metadata_services {
  storage::metadata::store* store = nullptr;
  executor* reads = nullptr;
  executor* writes = nullptr; // one thread
  node_metrics* metrics = nullptr;
  const cairn::clock* clock = nullptr;
  random_source* random = nullptr;
  std::shared_ptr<read_holds> holds;
  uuid node{};
  std::uint64_t incarnation = 0; // rises with each start
  // Opens the keys of temporary credentials; null: those that are sealed do not open.
  std::shared_ptr<const secrets::key_ring> sealing;
  // False: the metadata's disk is full up to its reserve; commands that add data are refused. Cheap; any thread.
  std::function<bool()> has_room;
  std::shared_ptr<std::atomic<bool>> session_began; // set once commits are possible; may be null
  std::shared_ptr<metadata_fault> fault;            // may be null
  std::size_t row_cache_bytes = 64 << 20;
  std::chrono::milliseconds read_timeout{5000}, commit_timeout{30000};

  // Of a member of a cluster; otherwise null and empty.
  std::shared_ptr<replicated_log_services> log;
  std::shared_ptr<layout_holder> layout;
  // The oldest log index that running reads on other nodes need (read_holds::none: no read). Any thread.
  std::function<log_index()> others_oldest_hold;
};

metadata_actor spawn_metadata(caf::actor_system& system, metadata_services services);

} // namespace cairn::actors
