// Where recently used chunks lie: a bounded, set-associative cache (8 ways, second chance), so that a hot read needs no
// index. Thread-safe; a lock is held for a look at one set. Memory: about 64 bytes an entry, taken at construction.
//
// A reader that misses takes the miss's ticket, looks into the index and offers what it found with that ticket. An
// erase in between makes the ticket stale, so that the cache never holds a place that was erased before.
#pragma once

#include "storage/chunks/record.hpp"

#include <memory>
#include <mutex>
#include <optional>

namespace cairn::storage {

class location_cache {
public:
  explicit location_cache(std::size_t entries);

  struct found {
    std::optional<chunk_location> location;
    std::uint64_t ticket = 0;
  };
  found find(const chunk_id& id);
  void offer(const chunk_id& id, const chunk_location& location, std::uint64_t ticket);
  void put(const chunk_id& id, const chunk_location& location); // by the writer, after its commit
  void erase(const chunk_id& id);                               // likewise

private:
  static constexpr std::size_t ways = 8;
  struct entry {
    chunk_id id;
    chunk_location location;
    bool used = false, recent = false;
  };
  struct set {
    std::mutex mutex;
    std::uint64_t erasures = 0;
    std::uint8_t hand = 0;
    entry entries[ways];
    entry* find(const chunk_id& id);
    void put(const chunk_id& id, const chunk_location& location);
  };
  set& set_of(const chunk_id& id);

  std::size_t sets_;
  std::unique_ptr<set[]> table_;
};

} // namespace cairn::storage
