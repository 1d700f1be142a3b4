// The newest entries of the log, in memory. Entries that are not yet stored or not yet applied are always here; older
// ones are kept up to a number of bytes. A follower that needs an evicted entry gets it from the log on disk.
#pragma once

#include "base/error.hpp"
#include "cluster/raft/raft_types.hpp"

#include <deque>

namespace cairn::cluster::raft {

class entry_cache {
public:
  index_t first() const noexcept { return first_; } // last() + 1 when there is no entry
  index_t last() const noexcept { return first_ + entries_.size() - 1; }
  std::size_t bytes() const noexcept { return bytes_; }

  const entry* find(index_t index) const noexcept {
    return index < first_ || index > last() ? nullptr : &entries_[index - first_];
  }
  void push(entry e) {
    bytes_ += cost(e);
    entries_.push_back(std::move(e));
  }
  // Drops the entries from `index` on.
  void truncate(index_t index) {
    CAIRN_ASSERT(index >= first_);
    while (last() >= index && !entries_.empty()) {
      bytes_ -= cost(entries_.back());
      entries_.pop_back();
    }
  }
  // Drops the oldest entries, none after `index`, while more than `bytes_max` are held.
  void evict(index_t index, std::size_t bytes_max) {
    while (!entries_.empty() && first_ <= index && bytes_ > bytes_max) {
      bytes_ -= cost(entries_.front());
      entries_.pop_front();
      ++first_;
    }
  }
  void reset(index_t first) {
    entries_.clear();
    bytes_ = 0;
    first_ = first;
  }

private:
  static std::size_t cost(const entry& e) { return e.view().size() + sizeof(entry) + 32; }

  std::deque<entry> entries_;
  index_t first_ = 1;
  std::size_t bytes_ = 0;
};

} // namespace cairn::cluster::raft
