// Runs actors as handlers of the io_contexts that also run the sockets, so a hop socket → actor → socket costs well
// under a microsecond and no thread polls. One of the places that use CAF's internals (CAF 0.17 scheduler
// module).
//
// A job runs on the shard (io_context) of the thread that made it runnable; threads outside every shard (executors, the
// timer) distribute their jobs round robin. So the work of a connection stays on the connection's shard, without a
// table of owners. Nothing that runs here may block.
#pragma once

#include "base/third_party/asio.hpp"
#include "base/third_party/caf.hpp"

#include <vector>

namespace cairn::actors {

// The configuration of a node's actor system: registers Cairn's messages and this scheduler.
class node_actor_config : public caf::actor_system_config {
public:
  // The contexts outlive the actor system, and run until every actor has ended.
  explicit node_actor_config(std::vector<boost::asio::io_context*> shards);
  const std::vector<boost::asio::io_context*>& shards() const { return shards_; }

private:
  std::vector<boost::asio::io_context*> shards_;
};

// Call on a thread before it runs `shard`'s io_context.
void enter_shard(std::size_t shard);

} // namespace cairn::actors
