// Blobs whose chunks a store was told to erase because they are dead. A write that was in a queue of the store or on
// the network meanwhile must not be stored after the erase: its chunk would stay until the next walk over the disk.
// Such writes have ended after `kept_for`. Blob ids are never reused, so no other write is refused. A plain class of
// one actor. Memory: blobs_max ids; beyond that the oldest are forgotten, and the walk removes their late chunks.
#pragma once

#include "base/ids.hpp"
#include "base/seams.hpp"

#include <deque>
#include <set>
#include <span>
#include <utility>

namespace cairn::actors {

class erased_blobs {
public:
  static constexpr std::chrono::minutes kept_for{5};
  static constexpr std::size_t blobs_max = 65536;

  void note(std::span<const chunk_id> chunks, steady_time now) {
    forget(now);
    for (const auto& id : chunks) {
      if (!blobs_.insert(id.blob).second) continue; // the pages of a large blob arrive at about the same time
      order_.emplace_back(now, id.blob);
      if (order_.size() > blobs_max) pop();
    }
  }
  bool contains(const blob_id& blob) const { return blobs_.contains(blob); }
  void forget(steady_time now) {
    while (!order_.empty() && now - order_.front().first > kept_for) pop();
  }
  std::size_t size() const noexcept { return order_.size(); }

private:
  void pop() {
    blobs_.erase(order_.front().second);
    order_.pop_front();
  }

  std::set<blob_id> blobs_;
  std::deque<std::pair<steady_time, blob_id>> order_;
};

} // namespace cairn::actors
