// One storage node of the production actors over simulated disks, as actors/runtime/storage_node.cpp assembles it over
// real ones. Its durable parts (in-memory file systems, in-memory key-value engines) survive `crash`; everything else
// is destroyed.
#pragma once

#include "actors/chunks/chunk_cache.hpp"
#include "actors/chunks/chunk_router.hpp"
#include "actors/metadata/metadata.hpp"
#include "actors/upkeep/reaper.hpp"
#include "base/files/memory_file_system.hpp"
#include "sim/world/checks.hpp"
#include "sim/world/virtual_executor.hpp"

namespace cairn::sim {

struct node_plan {
  std::size_t disks = 1, actors_a_disk = 2;
  std::uint64_t disk_bytes = 1ull << 30, segment_bytes = 4 << 20, reserve_bytes = 1 << 20;
  std::uint64_t memory_bytes = 64 << 20, cache_bytes = 0;
  std::uint32_t chunk_size = 64 << 10, inline_max = 4096;
  std::uint32_t window_min = 2, window_max = 4, upload_window = 4;
  job_times disk_times, metadata_times, digest_times;
};

class sim_node {
public:
  sim_node(world& w, checks& c, node_plan plan);
  ~sim_node();
  sim_node(const sim_node&) = delete;
  sim_node& operator=(const sim_node&) = delete;

  void start();
  // Ends the process: executors first, then actors. `power_lost`: unflushed writes are lost, torn or kept.
  void crash(bool power_lost);
  bool running() const noexcept { return running_; }

  const actors::services& handles() const { return services_; }
  memory_file_system& disk(std::size_t i) { return *disks_[i]->files; }
  std::size_t disks() const noexcept { return disks_.size(); }
  std::size_t actors() const; // number of long-lived actors
  const node_metrics& metrics() const { return *metrics_; }
  std::size_t holds() const { return holds_->size(); }

  struct leftovers {
    std::uint64_t chunks = 0, to_punch = 0, buried = 0, manifests = 0;
  };
  leftovers left() const;
  std::string left_text() const;

private:
  struct sim_disk {
    std::unique_ptr<memory_file_system> files;
    std::unique_ptr<storage::kv_engine> index;
    std::unique_ptr<storage::chunk_store> store;
    std::unique_ptr<virtual_executor> reads, writes;
    std::shared_ptr<actors::disk> shared;
    std::vector<actors::chunk_store_actor> actors;
  };
  bool open_disk(sim_disk& d);
  void spawn_metadata();

  world& w_;
  checks& checks_;
  const node_plan plan_;
  std::vector<std::unique_ptr<sim_disk>> disks_;
  std::unique_ptr<storage::kv_engine> metadata_engine_;
  std::unique_ptr<storage::metadata::store> metadata_store_;
  std::unique_ptr<virtual_executor> metadata_reads_, metadata_writes_;
  std::shared_ptr<virtual_executor> digests_;
  std::unique_ptr<node_metrics> metrics_ = std::make_unique<node_metrics>();
  std::shared_ptr<actors::read_holds> holds_;
  actors::services services_;
  actors::reaper_actor reaper_;
  bool running_ = false;
};

} // namespace cairn::sim
