// The chunk disks of a storage node: opened from the configuration, each with its index, store, executors and actors.
// A disk that cannot be opened does not stop the node: it is logged, and status() shows it as closed. So is a disk that
// a standalone node knows and that is missing (known_disks.hpp). The storage node owns one
// (actors/runtime/storage_node.cpp). Everything but open(), spawn(), stop() and release() may be called on any thread.
#pragma once

#include "actors/chunks/damaged_chunks.hpp"
#include "actors/chunks/store_router.hpp"
#include "actors/members/membership.hpp"
#include "actors/runtime/storage_node.hpp"

namespace cairn::actors {

class node_disks {
public:
  node_disks(file_system& files, const cairn::clock& clock, random_source& random, node_metrics& metrics);
  ~node_disks();

  // Opens all that the configuration lists. `refers_to_chunks`: whether the metadata does; asked when a standalone node
  // knows no disks. Errors: locked (another process uses a disk); when none opened and the node is no member of a
  // cluster, that of the last one: io_error, corrupt, no_space, quarantined, unsupported, not_found (it is missing).
  result<void> open(const config::settings& settings, const std::function<result<bool>()>& refers_to_chunks);
  // Spawns the disks' actors, `readers` a disk, and returns what spreads chunks over them. `node` stands for a disk
  // when none is open: each request to it fails.
  std::shared_ptr<const store_router> spawn(caf::actor_system& system, const uuid& node, std::size_t readers);

  bool is_empty() const { return disks_.empty(); }
  bool has_closed() const { return !closed_.empty(); }
  bool takes_writes() const; // at least one, be it full
  bool has_room() const;     // at least one that takes writes
  std::vector<storage::chunk_store*> stores() const;
  const std::shared_ptr<damaged_chunks>& damaged() const { return damaged_; } // what reads found
  std::vector<disk_status> status() const;
  disk_use use() const; // as the membership reports it
  void delay_reads(std::chrono::microseconds delay);

  void stop();    // the executors: running jobs end, waiting ones are dropped
  void release(); // the actors; afterwards

private:
  struct open_disk;
  result<void> open_store(open_disk& d, const config::settings& settings);
  result<void> find_missing(const config::settings& settings, const std::function<result<bool>()>& refers_to_chunks);
  void keep_known(const std::string& data_dir) const;

  file_system& files_;
  const cairn::clock& clock_;
  random_source& random_;
  node_metrics& metrics_;
  std::vector<std::unique_ptr<open_disk>> disks_;
  std::vector<std::string> closed_;          // paths
  std::vector<std::string> known_, missing_; // paths, of a standalone node
  std::shared_ptr<damaged_chunks> damaged_ = std::make_shared<damaged_chunks>();
  chunk_store_actor closed_store_; // when no disk is open
};

} // namespace cairn::actors
