// A whole storage node without its sockets: locks the data directory, opens disks and metadata, spawns the long-lived
// actors, stops in order. Start-up code (cli/serve) and benchmarks own one. The caller runs the io_contexts.
//
// A disk that cannot be opened takes its chunks out, not the node: it is logged and reported in `status`. Metadata that
// cannot be opened ends the start.
#pragma once

#include "actors/protocol/cluster_status.hpp"
#include "actors/protocol/node.hpp"
#include "base/executor.hpp"
#include "config/config.hpp"
#include "storage/chunks/chunk_store.hpp"

#include <boost/asio/io_context.hpp>

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
  std::string use;           // "http", "admin", "cluster"
  storage::wall_ms ends = 0; // of its validity; 0: there is none
};

struct node_status {
  // Metadata in service and with room, writer session begun; on a node without a cluster at least one disk takes
  // writes. A member stores chunks on the others while its own disks don't.
  bool ready = false;
  std::string reason;         // why not
  std::string metadata_fault; // why the metadata is out of service; empty: it is not
  std::vector<disk_status> disks;
  std::size_t queued_metadata_reads = 0, queued_metadata_writes = 0;
  storage::space metadata_disk;
  std::shared_ptr<const cluster_status> cluster; // as this node knew it within the last second; null: of none
  std::size_t buffer_bytes = 0, buffer_limit_bytes = 0, buffer_waiters = 0;
  std::vector<certificate_in_use> certificates;
};

class storage_node {
public:
  // `system` runs with node_actor_config. Errors: locked (another process uses data_dir), corrupt, io_error, no_space,
  // unsupported (formats of a newer version); those of cluster_member::open when the node is one of a cluster.
  // `contexts` run already, and serve the links to other nodes.
  static result<std::unique_ptr<storage_node>> open(const config::settings& settings, caf::actor_system& system,
                                                    storage::node_metrics& metrics,
                                                    std::vector<boost::asio::io_context*> contexts);
  virtual ~storage_node() = default;

  virtual const services& handles() const = 0;
  virtual node_status status() const = 0; // thread-safe, cheap
  virtual bool is_new() const = 0;        // the metadata was made by this start
  // Of a member of a cluster (unsupported else), answered by an actor's thread: `done` must only post. Errors:
  // interfaces.hpp, admin_service_actor.
  virtual void ask_cluster(std::function<void(result<cluster_status>)> done) const = 0;
  virtual void run_admin_command(admin_command c, std::function<void(result<std::string>)> done) const = 0;
  // Before the node stops: leads its cluster no longer, so that others' writes go on. Waits up to some seconds.
  virtual void transfer_leadership() = 0;
  // SIGHUP: limits.memory and the like take effect, the certificate of the links is read again. Errors: of the latter;
  // it stays as it was.
  virtual result<void> apply(const config::settings& settings) = 0;
  // Ends the long-lived actors and the executors; nothing may be in flight any more. The io_contexts must still run.
  virtual void stop() = 0;
};

} // namespace cairn::actors
