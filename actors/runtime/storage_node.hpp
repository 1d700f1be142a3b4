// A whole storage node without its HTTP sockets: locks the data directory, opens disks and metadata, spawns the
// long-lived actors, stops them in order. cli/serve_command and benchmarks own one. The caller runs the io_contexts.
//
// A disk that cannot be opened makes its chunks unavailable, but the node starts: the disk is logged and reported in
// `status`. Metadata that cannot be opened ends the start.
#pragma once

#include "actors/protocol/node.hpp"
#include "actors/protocol/node_status.hpp"
#include "base/third_party/asio.hpp"
#include "config/config.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cairn::actors {

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
