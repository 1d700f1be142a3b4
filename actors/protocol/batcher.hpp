// Group commit: items that arrive while a batch runs wait and form the next batch together. Several batches may run at
// a time; another one begins concurrently only above a minimum size. The queue is bounded in items and bytes. A batch
// is bounded too, so that a small item does not wait for a very large batch, and takes the parties' items in turns. A
// plain class, used by the chunk_store actor (chunks) and the metadata actor (commands).
//
// Clients that send one request after another send the next one as soon as a batch has answered them. A batch that
// begins before it arrives does without them, and each of them waits for two batches. So after a batch has finished,
// the next may wait until as many items came as that batch had, but only for a part of the time that it took.
#pragma once

#include "base/error.hpp"
#include "base/execution/fair_queue.hpp"
#include "base/seams.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace cairn::actors {

struct batch_limits {
  std::size_t batch_items = 64, batch_bytes = 32 << 20;
  std::size_t shared_batch_bytes = 32 << 20; // instead, from when two parties' items came until shared_for later
  std::size_t waiting_items = 4096, waiting_bytes = 256 << 20;
  std::size_t running_max = 1;      // batches
  std::size_t items_beside_min = 1; // of a batch that begins while another one runs
  int gather_part = 0;              // waits for a batch's clients for 1/gather_part of its time; 0: never
};

constexpr std::chrono::seconds shared_for{1};

// A batch of so many items begins at once: to wait would cost more than its commit.
constexpr std::size_t gather_items_max = 64;

template <class Item>
class batcher {
public:
  explicit batcher(batch_limits limits) : limits_(limits) {}

  // False: the queue, or the party's share of it, is full, answer busy. An empty queue always takes one item.
  [[nodiscard]] bool add(Item item, std::size_t bytes, const party_ptr& party = nullptr) {
    if (!waiting_.empty() &&
        (!waiting_.has_room(party, limits_.waiting_items) || waiting_bytes_ + bytes > limits_.waiting_bytes)) {
      return false;
    }
    waiting_bytes_ += bytes;
    waiting_.push({std::move(item), bytes}, party);
    return true;
  }
  // Puts items that were added without a party back to the front, in their order, if their batch failed. Ignores the
  // bounds: the items were counted in the queue before.
  void put_back(std::vector<Item> items, std::size_t bytes_each) {
    while (!items.empty()) {
      waiting_bytes_ += bytes_each;
      waiting_.push_front({std::move(items.back()), bytes_each});
      items.pop_back();
    }
  }

  // The next batch; empty when nothing waits, or when what waits should wait for a running one or until
  // gathers_until(). `items_max`: a smaller bound of this batch.
  std::vector<Item> begin(steady_time now, std::size_t items_max = SIZE_MAX) {
    std::vector<Item> batch;
    if (running_ >= limits_.running_max || (running_ > 0 && waiting_.size() < limits_.items_beside_min)) return batch;
    if (waiting_.size() < gathered_ && now < gathers_until_) return batch;
    gathered_ = 0;
    begun_ = now;
    std::size_t bytes = 0;
    while (!waiting_.empty() && batch.size() < std::min(limits_.batch_items, items_max)) {
      if (const auto* party = waiting_.front_party(); std::exchange(last_party_, party) != party)
        shared_until_ = now + shared_for;
      const auto bytes_max = now < shared_until_ ? limits_.shared_batch_bytes : limits_.batch_bytes;
      if (!batch.empty() && bytes + waiting_.front().bytes > bytes_max) break;
      auto next = waiting_.pop();
      bytes += next.bytes;
      waiting_bytes_ -= next.bytes;
      batch.push_back(std::move(next.item));
    }
    running_ += !batch.empty();
    last_items_ = batch.size();
    return batch;
  }
  void finished(steady_time now) {
    CAIRN_ASSERT(running_ > 0);
    --running_;
    if (limits_.gather_part == 0 || running_ > 0) return;
    gathered_ = std::min({waiting_.size() + last_items_, limits_.batch_items, gather_items_max});
    gathers_until_ = now + (now - begun_) / limits_.gather_part;
  }
  // When the next batch begins at the latest; nullopt: nothing waits, or not for the clients of the last batch.
  std::optional<steady_time> gathers_until() const {
    if (waiting_.empty() || running_ > 0 || waiting_.size() >= gathered_) return std::nullopt;
    return gathers_until_;
  }

  std::size_t running() const noexcept { return running_; }
  std::size_t waiting() const noexcept { return waiting_.size(); }

private:
  struct entry {
    Item item;
    std::size_t bytes;
  };
  const batch_limits limits_;
  fair_queue<entry> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t running_ = 0;
  std::size_t last_items_ = 0, gathered_ = 0; // of the last batch; with how many items the next one begins at once
  steady_time begun_{}, gathers_until_{};
  const void* last_party_ = nullptr; // of the last item; only compared
  steady_time shared_until_{};
};

} // namespace cairn::actors
