#include "storage/chunks/location_cache.hpp"

#include <algorithm>

namespace cairn::storage {

location_cache::location_cache(std::size_t entries)
    : sets_(std::max<std::size_t>(1, entries / ways)), table_(std::make_unique<set[]>(sets_)) {}

location_cache::set& location_cache::set_of(const chunk_id& id) {
  auto hash = std::hash<chunk_id>{}(id);
  hash ^= hash >> 32; // the hash of consecutive ids differs mostly in the high bits
  return table_[hash % sets_];
}

location_cache::entry* location_cache::set::find(const chunk_id& id) {
  for (auto& e : entries)
    if (e.used && e.id == id) return &e;
  return nullptr;
}

void location_cache::set::put(const chunk_id& id, const chunk_location& location) {
  auto* slot = find(id);
  for (std::size_t i = 0; slot == nullptr && i < ways; ++i)
    if (!entries[i].used) slot = &entries[i];
  while (slot == nullptr) {
    auto& candidate = entries[hand];
    hand = static_cast<std::uint8_t>((hand + 1) % ways);
    if (!candidate.recent) slot = &candidate;
    candidate.recent = false;
  }
  *slot = {id, location, true, false}; // not `recent` before its second use, so that a scan does not evict hot entries
}

location_cache::found location_cache::find(const chunk_id& id) {
  auto& s = set_of(id);
  const std::lock_guard guard{s.mutex};
  if (auto* e = s.find(id)) {
    e->recent = true;
    return {e->location, s.erasures};
  }
  return {std::nullopt, s.erasures};
}

void location_cache::offer(const chunk_id& id, const chunk_location& location, std::uint64_t ticket) {
  auto& s = set_of(id);
  const std::lock_guard guard{s.mutex};
  if (s.erasures == ticket) s.put(id, location);
}

void location_cache::put(const chunk_id& id, const chunk_location& location) {
  auto& s = set_of(id);
  const std::lock_guard guard{s.mutex};
  ++s.erasures; // a location that a reader found before this commit is stale
  s.put(id, location);
}

void location_cache::erase(const chunk_id& id) {
  auto& s = set_of(id);
  const std::lock_guard guard{s.mutex};
  ++s.erasures;
  if (auto* e = s.find(id)) *e = {};
}

} // namespace cairn::storage
