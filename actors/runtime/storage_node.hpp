// A whole storage node without its HTTP sockets: locks the data directory, opens disks and metadata, spawns the
// long-lived actors, stops them in order. Start-up code (cli/serve) and benchmarks own one. The caller runs the
// io_contexts.
//
// A disk that cannot be opened makes its chunks unavailable, but the node starts: the disk is logged and reported in
// `status`. Metadata that cannot be opened ends the start.
#pragma once

#include "actors/chunks/chunk_cache.hpp"
#include "actors/protocol/cluster_status.hpp"
#include "actors/protocol/node.hpp"
#include "base/executor.hpp"
#include "config/config.hpp"
#include "storage/chunks/chunk_store.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cairn::actors {

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
  // least one disk takes writes. A member stores chunks on other nodes while its own disks take no writes.
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

// limits.cache in bytes; "auto" goes by the memory that this process may use.
std::size_t cache_bytes(const config::limit_settings& limits);

class storage_node {
public:
  // `system` runs with node_actor_config. Errors: locked (another process uses data_dir), corrupt, io_error, no_space,
  // unsupported (formats of a newer version); for a member of a cluster those of cluster_member::open. `contexts` are
  // running already, and serve the links to other nodes.
  // `refused` is called once, on any thread, when the cluster has refused this node permanently: the caller ends it.
  static result<std::unique_ptr<storage_node>> open(const config::settings& settings, caf::actor_system& system,
                                                    node_metrics& metrics,
                                                    std::vector<boost::asio::io_context*> contexts,
                                                    std::function<void()> refused = {});
  virtual ~storage_node() = default;

  virtual const services& handles() const = 0;
  virtual node_status status() const = 0; // thread-safe, cheap
  virtual bool is_new() const = 0;        // this start created the metadata
  // Answers operators; null on a standalone node and after stop(). No copy may outlive the actor system.
  virtual admin_service_actor admin_service() const = 0;
  // Before the node stops: transfers leadership, so that writes through other nodes go on. Waits up to some seconds.
  virtual void transfer_leadership() = 0;
  // SIGHUP: applies limits.memory, limits.cache and the like, and reads the certificate of the links again. Errors:
  // those of the certificate; the old one stays in use.
  virtual result<void> apply(const config::settings& settings) = 0;
  // Ends the long-lived actors and the executors; no request may be in flight. The io_contexts must still run.
  virtual void stop() = 0;
};

} // namespace cairn::actors
