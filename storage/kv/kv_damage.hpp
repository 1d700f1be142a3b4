// Damage found in a key-value engine's files: each place is counted and logged once. Shared by the layers of an engine
// and by its observers (status, metrics, the repair of a member's state). Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace cairn::storage {

class kv_damage {
public:
  // `counted`: a second counter, which outlives this; may be null.
  explicit kv_damage(std::string where, std::atomic<std::uint64_t>* counted = nullptr)
      : where_(std::move(where)), counted_(counted) {}

  // `what`: the table and key, or the page. May be called repeatedly for the same place.
  void report(const std::string& what);
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); } // of distinct places, ever
  std::string first() const; // the first place since the last `replaced`; empty: no damage is known
  void unreadable();         // the whole file: the engine is quarantined, or could not be opened
  bool is_unreadable() const { return unreadable_.load(std::memory_order_relaxed); }
  void replaced(); // the contents were replaced by intact ones

private:
  static constexpr std::size_t places_max = 1024; // further places are neither remembered nor counted

  const std::string where_;
  std::atomic<std::uint64_t>* const counted_;
  mutable std::mutex mutex_;
  std::set<std::string> places_;
  std::string first_;
  std::atomic<std::uint64_t> count_{0};
  std::atomic<bool> unreadable_{false};
};

// "table 2, key 00a1…" with at most 64 bytes of the key.
std::string describe_row(unsigned table, std::string_view key);

} // namespace cairn::storage
