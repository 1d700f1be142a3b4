// The upkeep actors of a storage node, and the executor on which they read: reaper, lifecycle, the scrub of the
// metadata, and backfill (a member of a cluster) or the chunk scrubber (a standalone node). The storage node owns one.
#pragma once

#include "actors/protocol/node.hpp"
#include "actors/runtime/cluster_member.hpp"
#include "actors/runtime/node_disks.hpp"
#include "actors/runtime/node_metadata.hpp"
#include "actors/upkeep/backfill.hpp"
#include "actors/upkeep/lifecycle.hpp"

namespace cairn::actors {

class node_upkeep {
public:
  // `member` is null on a standalone node. All arguments outlive this.
  void start(const config::settings& settings, const services& node, node_metadata& metadata, const node_disks& disks,
             cluster_member* member);
  void set_bandwidth(std::uint64_t bytes_a_second) { bandwidth_->store(bytes_a_second); } // of moves between nodes
  void stop(); // ends the actors and the executor

private:
  void spawn_backfill_actor(const config::settings& settings, const services& node, storage::metadata::store& store,
                            const node_disks& disks, cluster_member& member);

  std::unique_ptr<executor> work_;
  std::shared_ptr<buffer_pool> backfill_buffers_;
  std::shared_ptr<std::atomic<std::uint64_t>> bandwidth_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  reaper_actor reaper_;
  lifecycle_actor lifecycle_;
  backfill_actor backfill_;
  scrubber_actor scrubber_, metadata_scrub_;
};

} // namespace cairn::actors
