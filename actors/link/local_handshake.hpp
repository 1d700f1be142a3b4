// The hello that this node sends to every peer: its identity from the start, and the cluster once the node has founded
// or joined one. Each new connection reads it again. Thread-safe.
#pragma once

#include "actors/link/wire/hello.hpp"

#include <mutex>

namespace cairn::actors {

class local_handshake {
public:
  explicit local_handshake(link::hello h) : hello_(std::move(h)) {}

  link::hello get() const {
    const std::lock_guard lock{mutex_};
    return hello_;
  }
  // From now on the node is a member of this cluster.
  void set_cluster(const uuid& cluster, std::string name) {
    const std::lock_guard lock{mutex_};
    hello_.cluster = cluster;
    hello_.cluster_name = std::move(name);
  }
  // The features that the cluster uses.
  void set_feature_active(std::uint32_t level) {
    const std::lock_guard lock{mutex_};
    hello_.feature_active = level;
  }

private:
  mutable std::mutex mutex_;
  link::hello hello_;
};

} // namespace cairn::actors
