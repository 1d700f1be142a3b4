// The status of one node, for the admin port and its metrics: its readiness, disks, memory, cache and certificates. A
// plain value, made by the storage node (actors/runtime) from what it knows without asking other nodes.
#pragma once

#include "actors/protocol/cluster_status.hpp"
#include "storage/chunks/chunk_store.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cairn::actors {

struct cache_stats {
  std::uint64_t hits = 0, misses = 0, joined = 0, evictions = 0;
  std::size_t entries = 0, bytes = 0, limit_bytes = 0; // bytes: used of the limit
  std::size_t shared_reads = 0;                        // in flight, that others may wait for
};

struct disk_status {
  std::string path;
  storage::chunk_store_stats stats;
  std::size_t queued_reads = 0, queued_writes = 0;
  bool open = false; // false: `stats` is empty, see the log
};

struct certificate_in_use {
  std::string use;  // "http", "admin", "cluster"
  wall_ms ends = 0; // of its validity; 0: there is none
};

struct node_status {
  // True: the metadata is in service and has room, and the writer session has begun; on a standalone node also: at
  // least one disk takes writes and has room. A member stores chunks on other nodes while its own disks take none.
  bool ready = false;
  std::string reason;         // why the node is not ready
  std::string metadata_fault; // why the metadata is out of service; empty: in service
  std::vector<disk_status> disks;
  std::size_t queued_metadata_reads = 0, queued_metadata_writes = 0;
  space metadata_disk;
  std::shared_ptr<const cluster_status> cluster; // at most a second old; null: standalone node
  std::size_t buffer_bytes = 0, buffer_limit_bytes = 0, buffer_waiters = 0;
  cache_stats cache;
  std::vector<certificate_in_use> certificates;
  std::string audit_problem; // why the audit log takes no lines; empty: it does, or there is none
};

} // namespace cairn::actors
