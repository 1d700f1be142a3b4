// Group commit: items that arrive while a batch runs wait and form the next batch together. Several batches may run at
// a time; another one begins beside them only when it is worth its cost. The queue is bounded in items and bytes. A
// batch is bounded too, so that a small item does not wait for a very large batch. A plain class, used by the
// chunk_store actor (chunks) and the metadata actor (commands).
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace cairn::actors {

struct batch_limits {
  std::size_t batch_items = 64, batch_bytes = 32 << 20;
  std::size_t waiting_items = 4096, waiting_bytes = 256 << 20;
  std::size_t running_max = 1;      // batches
  std::size_t items_beside_min = 1; // of a batch that begins while another one runs
};

template <class Item>
class batcher {
public:
  explicit batcher(batch_limits limits) : limits_(limits) {}

  // False: the queue is full, answer busy. An empty queue always takes one item.
  [[nodiscard]] bool add(Item item, std::size_t bytes) {
    if (!waiting_.empty() &&
        (waiting_.size() >= limits_.waiting_items || waiting_bytes_ + bytes > limits_.waiting_bytes)) {
      return false;
    }
    waiting_bytes_ += bytes;
    waiting_.push_back({std::move(item), bytes});
    return true;
  }
  // Returns items of a batch that was not executed to the front, in their order. Ignores the bounds: the items were
  // counted in the queue before.
  void put_back(std::vector<Item> items, std::size_t bytes_each) {
    while (!items.empty()) {
      waiting_bytes_ += bytes_each;
      waiting_.push_front({std::move(items.back()), bytes_each});
      items.pop_back();
    }
  }

  // The next batch in the order of arrival; empty when nothing waits, or when what waits should wait for a running one.
  std::vector<Item> begin() {
    std::vector<Item> batch;
    if (running_ >= limits_.running_max || (running_ > 0 && waiting_.size() < limits_.items_beside_min)) return batch;
    std::size_t bytes = 0;
    while (!waiting_.empty() && batch.size() < limits_.batch_items) {
      if (!batch.empty() && bytes + waiting_.front().bytes > limits_.batch_bytes) break;
      bytes += waiting_.front().bytes;
      waiting_bytes_ -= waiting_.front().bytes;
      batch.push_back(std::move(waiting_.front().item));
      waiting_.pop_front();
    }
    running_ += !batch.empty();
    return batch;
  }
  void finished() {
    CAIRN_ASSERT(running_ > 0);
    --running_;
  }

  std::size_t running() const noexcept { return running_; }
  std::size_t waiting() const noexcept { return waiting_.size(); }

private:
  struct entry {
    Item item;
    std::size_t bytes;
  };
  const batch_limits limits_;
  std::deque<entry> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t running_ = 0;
};

} // namespace cairn::actors
