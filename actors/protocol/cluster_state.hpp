// State that the actors of a cluster member share across threads: who leads, what other nodes' reads still need, what
// this node has completed, the cluster's status. Each field is written by one actor and read by any thread.
#pragma once

#include "actors/protocol/cluster_status.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cairn::actors {

class cluster_state {
public:
  // Written by membership: this node leads, so it reaps and runs the membership controller.
  std::atomic<bool> leads{false};
  // Written by membership, on the leader: no read on any other node needs a blob buried at or before this index.
  std::atomic<log_index> others_oldest_hold{0};
  // Written by membership on the leader: the applied index that each other member reported last, and when.
  struct applied_report {
    log_index applied = 0;
    steady_time at;
  };
  using applied_reports = std::map<node_number, applied_report>;
  void note_applied(node_number node, const applied_report& report) {
    const std::lock_guard lock{mutex_};
    applied_[node] = report;
  }
  void forget_applied() {
    const std::lock_guard lock{mutex_};
    applied_.clear();
  }
  applied_reports applied() const {
    const std::lock_guard lock{mutex_};
    return applied_;
  }
  // Written by membership: why the cluster refuses this node permanently (its disk is an old copy, it was removed).
  void refuse(std::string why) {
    const std::lock_guard lock{mutex_};
    refusal_ = std::move(why);
  }
  std::string refusal() const { // empty: not refused
    const std::lock_guard lock{mutex_};
    return refusal_;
  }

  // Written by backfill: the partitions that this node is to own and holds completely, compared under this epoch or a
  // later one.
  void set_complete(layout_epoch epoch, std::vector<partition_id> rising) {
    const std::lock_guard lock{mutex_};
    complete_epoch_ = epoch;
    complete_ = std::move(rising);
  }
  std::pair<layout_epoch, std::vector<partition_id>> complete() const {
    const std::lock_guard lock{mutex_};
    return {complete_epoch_, complete_};
  }

  // Written by backfill: chunks that this node is to own and that no owner has, in rising order; bounded.
  void set_lost(std::vector<chunk_id> rising) {
    const std::lock_guard lock{mutex_};
    lost_ = std::move(rising);
  }
  std::vector<chunk_id> lost() const {
    const std::lock_guard lock{mutex_};
    return lost_;
  }

  // Written by admin_service: how many times an operator has requested a scan for missing chunks.
  std::atomic<std::uint64_t> scans_requested{0};
  // Written by admin_service each second: the cluster's status from this node's own knowledge. Null at first.
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
  applied_reports applied_;
  std::string refusal_;
  std::shared_ptr<const cluster_status> status_;
  layout_epoch complete_epoch_ = 0;
  std::vector<partition_id> complete_;
  std::vector<chunk_id> lost_;
};

} // namespace cairn::actors
