// Facts that the parts of a cluster's member share across threads: who leads, what other nodes' reads still need, what
// this node has completed, how the cluster is. Written by one actor each, read by any thread.
#pragma once

#include "actors/protocol/cluster_status.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cairn::actors {

class cluster_state {
public:
  // By membership: this node leads, so it reaps and controls the membership.
  std::atomic<bool> leads{false};
  // By membership, on the leader: no read of any other node needs what was buried at or before this index.
  std::atomic<storage::log_index> others_oldest_hold{0};
  // By membership: why the cluster refuses this node for good (its disk is an old copy, it was removed).
  void refuse(std::string why) {
    const std::lock_guard lock{mutex_};
    refusal_ = std::move(why);
  }
  std::string refusal() const { // empty: it does not
    const std::lock_guard lock{mutex_};
    return refusal_;
  }

  // By backfill: partitions that this node is to own and holds completely; compared under this epoch or a later one.
  void set_complete(storage::layout_epoch epoch, std::vector<storage::partition_id> rising) {
    const std::lock_guard lock{mutex_};
    complete_epoch_ = epoch;
    complete_ = std::move(rising);
  }
  std::pair<storage::layout_epoch, std::vector<storage::partition_id>> complete() const {
    const std::lock_guard lock{mutex_};
    return {complete_epoch_, complete_};
  }

  // By backfill: chunks that this node is to have and that no owner has, rising; those that it remembers.
  void set_lost(std::vector<storage::chunk_id> rising) {
    const std::lock_guard lock{mutex_};
    lost_ = std::move(rising);
  }
  std::vector<storage::chunk_id> lost() const {
    const std::lock_guard lock{mutex_};
    return lost_;
  }

  // By admin_service: how often an operator requested that this node looks for missing copies now.
  std::atomic<std::uint64_t> scans_requested{0};
  // By admin_service, each second: the cluster as far as this node knows by itself. Null at first.
  void set_status(std::shared_ptr<const cluster_status> s) {
    const std::lock_guard lock{mutex_};
    status_ = std::move(s);
  }
  std::shared_ptr<const cluster_status> status() const {
    const std::lock_guard lock{mutex_};
    return status_;
  }

private:
  mutable std::mutex mutex_;
  std::string refusal_;
  std::shared_ptr<const cluster_status> status_;
  storage::layout_epoch complete_epoch_ = 0;
  std::vector<storage::partition_id> complete_;
  std::vector<storage::chunk_id> lost_;
};

} // namespace cairn::actors
