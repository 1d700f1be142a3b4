// Which entries a cache keeps: S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for cache
// eviction", SOSP 2023). New entries enter a small queue, a tenth of the cache. Those used more than once when they
// leave it move to the main queue; the keys of the others are remembered for a while (ghosts), and a ghost that is
// inserted again enters the main queue at once. So a scan passes through the small queue and evicts nothing hot, and a
// use only counts: it moves nothing. Used entries of the main queue get another round for each use, at most three.
//
// The caller owns the memory: it evicts until what it needs is free. Sizes in bytes; all operations are O(1) amortised.
// A plain class, not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

namespace cairn {

template <class Key, class Value, class Hash = std::hash<Key>>
class s3_fifo {
public:
  explicit s3_fifo(std::size_t capacity_bytes) : capacity_(capacity_bytes) {}

  void set_capacity(std::size_t bytes) {
    capacity_ = bytes;
    forget_ghosts();
  }

  // Null: not cached. Counts as a use. Valid until the next change.
  const Value* find(const Key& key) {
    const auto at = entries_.find(key);
    if (at == entries_.end()) return nullptr;
    auto& found = *at->second;
    if (found.uses < uses_max) ++found.uses;
    return &found.value;
  }

  // Replaces the entry of the same key, which keeps its uses. `uses`: requests that waited for the value.
  void insert(const Key& key, Value value, std::size_t bytes, std::size_t uses = 0) {
    bool to_main = was_ghost(key);
    if (const auto old = entries_.find(key); old != entries_.end()) {
      to_main = old->second->in_main;
      uses += old->second->uses;
      remove(old->second);
    }
    auto& queue = to_main ? main_ : small_;
    queue.push_front({key, std::move(value), bytes, std::uint8_t(uses < uses_max ? uses : uses_max), to_main});
    entries_.emplace(key, queue.begin());
    bytes_of(to_main) += bytes;
  }

  // Removes the entry whose turn it is, and returns its value. Entries for which `in_use` holds are passed over,
  // because dropping them frees no memory; nullopt when too many in a row are in use, or the cache is empty.
  template <class InUse>
  std::optional<Value> evict(InUse in_use) {
    for (std::size_t passed = 0; passed < passed_max && !entries_.empty();) {
      const bool from_small = main_.empty() || (!small_.empty() && small_bytes_ >= capacity_ / small_share);
      auto& queue = from_small ? small_ : main_;
      const auto last = std::prev(queue.end());
      if (in_use(last->value)) {
        ++passed;
        queue.splice(queue.begin(), queue, last);
      } else if (from_small && last->uses > 1) {
        promote(last);
      } else if (!from_small && last->uses > 0) {
        --last->uses;
        queue.splice(queue.begin(), queue, last);
      } else {
        if (from_small) remember(last->key, last->bytes);
        std::optional<Value> out{std::move(last->value)};
        remove(last);
        return out;
      }
    }
    return std::nullopt;
  }

  void clear() {
    entries_.clear();
    small_.clear();
    main_.clear();
    ghost_keys_.clear();
    ghosts_.clear();
    small_bytes_ = main_bytes_ = ghost_bytes_ = 0;
  }

  std::size_t entries() const noexcept { return entries_.size(); }
  std::size_t bytes() const noexcept { return small_bytes_ + main_bytes_; }

private:
  static constexpr std::size_t small_share = 10, uses_max = 3, passed_max = 32;

  struct entry {
    Key key;
    Value value;
    std::size_t bytes;
    std::uint8_t uses;
    bool in_main;
  };
  using queue_of_entries = std::list<entry>; // newest first
  using place = typename queue_of_entries::iterator;
  struct ghost {
    Key key;
    std::size_t bytes;
  };

  std::size_t& bytes_of(bool in_main) { return in_main ? main_bytes_ : small_bytes_; }

  void promote(place at) {
    small_bytes_ -= at->bytes;
    main_bytes_ += at->bytes;
    at->uses = 0;
    at->in_main = true;
    main_.splice(main_.begin(), small_, at);
  }

  void remove(place at) {
    bytes_of(at->in_main) -= at->bytes;
    entries_.erase(at->key);
    (at->in_main ? main_ : small_).erase(at);
  }

  void remember(const Key& key, std::size_t bytes) {
    ghosts_.push_front({key, bytes});
    ghost_keys_[key] = ghosts_.begin();
    ghost_bytes_ += bytes;
    forget_ghosts();
  }

  // As many ghosts as the main queue holds entries of their sizes.
  void forget_ghosts() {
    while (!ghosts_.empty() && ghost_bytes_ > capacity_ - capacity_ / small_share) {
      ghost_bytes_ -= ghosts_.back().bytes;
      ghost_keys_.erase(ghosts_.back().key);
      ghosts_.pop_back();
    }
  }

  bool was_ghost(const Key& key) {
    const auto at = ghost_keys_.find(key);
    if (at == ghost_keys_.end()) return false;
    ghost_bytes_ -= at->second->bytes;
    ghosts_.erase(at->second);
    ghost_keys_.erase(at);
    return true;
  }

  std::size_t capacity_, small_bytes_ = 0, main_bytes_ = 0, ghost_bytes_ = 0;
  queue_of_entries small_, main_;
  std::list<ghost> ghosts_; // newest first
  std::unordered_map<Key, place, Hash> entries_;
  std::unordered_map<Key, typename std::list<ghost>::iterator, Hash> ghost_keys_;
};

} // namespace cairn
