// Cache of chunk locations: bounded, set-associative (8 ways, second chance), so that a hot read needs no index lookup.
// Thread-safe, one lock per set. Memory: about 64 bytes per entry, allocated at construction.
//
// A reader that misses gets a ticket, looks the chunk up in the index and offers the location with that ticket. A put
// or erase in the same set makes the ticket stale, so the cache never gets a location that was erased before.
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
  void erase(const chunk_id& id);                               // by the writer, after its commit

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
