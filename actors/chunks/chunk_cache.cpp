#include "actors/chunks/chunk_cache.hpp"

#include "base/error.hpp"
#include "base/memory/s3_fifo.hpp"

#include <malloc.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace cairn::actors {

namespace {

constexpr std::size_t shards_max = 16;
constexpr std::size_t slices_of_a_shard_min = 2; // larger slices are not cached
// Of an entry and of the ghost that it may leave: list and hash nodes.
constexpr std::size_t entry_overhead_bytes = 384;
// A buffer of a block that a small chunk fills at most to this is replaced by a smaller one.
constexpr std::uint32_t copied_bytes_max = block_size_bytes / 2;

// The bytes of the range that begins at `at` and has `bytes`, if it covers all that is needed.
std::optional<slice> part_of(std::uint32_t at, const slice& bytes, std::uint32_t offset, std::uint32_t needed) {
  const auto skipped = offset - at;
  if (offset < at || std::uint64_t{skipped} + needed > bytes.length) return std::nullopt;
  return slice{bytes.owner, bytes.offset + skipped, needed};
}

} // namespace

struct cache_shard {
  struct waiter {
    std::uint32_t offset, needed;
    chunk_cache::waker wake;
  };
  struct flight {
    std::uint32_t length;
    std::vector<waiter> waiters{};
  };

  explicit cache_shard(std::size_t limit_bytes)
      : pool(limit_bytes), overhead(*pool.try_charge(0, nullptr)), entries(limit_bytes) {}

  // With the mutex held:
  bool evict() {
    const auto victim = entries.evict([](const slice& s) { return s.owner->is_shared(); });
    if (!victim) return false;
    ++evictions;
    return true;
  }
  buffer_ptr acquire(std::size_t bytes) {
    if (std::bit_ceil(bytes) > pool.limit_bytes() / slices_of_a_shard_min) return nullptr;
    for (;;) {
      if (auto found = pool.try_acquire(bytes, reservation::minimum)) return found;
      if (!evict()) return nullptr;
    }
  }
  void insert(const cache_key& key, const slice& bytes, std::size_t uses) {
    if (pool.in_use_bytes() > pool.limit_bytes()) return; // the limit was lowered during the read
    entries.insert(key, bytes, bytes.owner->capacity(), uses);
    while (!overhead.resize(entries.entries() * entry_overhead_bytes) && evict()) {
    }
  }
  slice compacted(slice bytes) {
    if (bytes.length > copied_bytes_max || bytes.length > bytes.owner->capacity() / 2) return bytes;
    auto smaller = acquire(bytes.length);
    if (!smaller) return bytes;
    std::memcpy(smaller->data(), bytes.view().data(), bytes.length);
    return {std::move(smaller), 0, bytes.length};
  }

  std::mutex mutex;
  buffer_pool pool;
  memory_charge overhead;
  s3_fifo<cache_key, slice, cache_key_hash> entries;
  std::unordered_map<cache_key, flight, cache_key_hash> flights;
  std::uint64_t hits = 0, misses = 0, joined = 0, evictions = 0;
};

// ---- one read that fills the cache ----------------------------------------------------------------------------------

cache_fill::cache_fill(cache_shard& shard, const cache_key& key, std::uint32_t length, bool shared)
    : shard_(shard), key_(key), length_(length), shared_(shared) {}

cache_fill::~cache_fill() {
  end(nullptr, true);
}

buffer_ptr cache_fill::buffer() {
  const std::lock_guard lock{shard_.mutex};
  return shard_.acquire(length_);
}

slice cache_fill::landed(slice bytes) {
  if (shard_.pool.owns(*bytes.owner)) {
    const std::lock_guard lock{shard_.mutex};
    bytes = shard_.compacted(std::move(bytes));
    const auto flying = shared_ ? shard_.flights.find(key_) : shard_.flights.end();
    shard_.insert(key_, bytes, flying == shard_.flights.end() ? 0 : flying->second.waiters.size());
  }
  end(&bytes, false);
  return bytes;
}

void cache_fill::failed() {
  end(nullptr, false);
}

void cache_fill::end(const slice* bytes, bool cancelled) {
  if (!std::exchange(shared_, false)) return;
  std::vector<cache_shard::waiter> waiters;
  {
    const std::lock_guard lock{shard_.mutex};
    const auto at = shard_.flights.find(key_);
    CAIRN_ASSERT(at != shard_.flights.end());
    waiters = std::move(at->second.waiters);
    shard_.flights.erase(at);
  }
  for (auto& w : waiters) {
    fill_outcome out{std::nullopt, cancelled};
    if (bytes) out.bytes = part_of(key_.offset, *bytes, w.offset, w.needed);
    w.wake(std::move(out));
  }
}

// ---- the cache ------------------------------------------------------------------------------------------------------

std::size_t cache_shards(std::size_t threads) {
  return std::min(shards_max, std::bit_ceil(std::max<std::size_t>(1, threads)));
}

chunk_cache::chunk_cache(std::size_t limit_bytes, std::size_t shards) : limit_(limit_bytes) {
  CAIRN_ASSERT(std::has_single_bit(shards) && shards <= shards_max);
  for (std::size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<cache_shard>(limit_bytes / shards));
}

chunk_cache::~chunk_cache() = default;

cache_shard& chunk_cache::shard_of(const chunk_id& chunk) const {
  const auto mixed = std::hash<chunk_id>{}(chunk)*0x9E3779B97F4A7C15ull;
  return *shards_[(mixed >> 32) & (shards_.size() - 1)];
}

chunk_cache::answer chunk_cache::find(const request& wanted, const std::function<waker()>& make_waker) {
  if (limit_.load(std::memory_order_relaxed) == 0) return {};
  const auto& [key, length, needed] = wanted;
  const cache_key whole{key.chunk, 0};
  auto& shard = shard_of(key.chunk);
  const std::lock_guard lock{shard.mutex};
  for (const auto& k : {whole, key}) {
    const auto* found = shard.entries.find(k);
    auto bytes = found ? part_of(k.offset, *found, key.offset, needed) : std::nullopt;
    if (bytes) {
      ++shard.hits;
      return {.bytes = std::move(bytes)};
    }
    if (key.offset == 0) break;
  }
  for (const auto& k : {whole, key}) {
    const auto at = make_waker ? shard.flights.find(k) : shard.flights.end();
    if (at == shard.flights.end() || std::uint64_t{key.offset} + needed > std::uint64_t{k.offset} + at->second.length)
      continue;
    at->second.waiters.push_back({key.offset, needed, make_waker()});
    ++shard.joined;
    return {.joined = true};
  }
  ++shard.misses;
  auto buffer = shard.acquire(length);
  if (!buffer) return {};
  const bool shared = make_waker && shard.flights.try_emplace(key, cache_shard::flight{length}).second;
  return {.fill = std::make_unique<cache_fill>(shard, key, length, shared), .buffer = std::move(buffer)};
}

void chunk_cache::set_limit(std::size_t limit_bytes) {
  const bool lowered = limit_bytes < limit_.exchange(limit_bytes, std::memory_order_relaxed);
  const auto share = limit_bytes / shards_.size();
  for (const auto& s : shards_) {
    const std::lock_guard lock{s->mutex};
    s->entries.set_capacity(share);
    s->pool.set_limit(share);
    if (limit_bytes == 0) s->entries.clear();
    while (s->pool.in_use_bytes() > share && s->evict()) {
    }
    (void)s->overhead.resize(s->entries.entries() * entry_overhead_bytes);
  }
  if (lowered) ::malloc_trim(0); // else freed buffers stay resident below memory that is in use
}

cache_stats chunk_cache::stats() const {
  cache_stats out;
  for (const auto& s : shards_) {
    const std::lock_guard lock{s->mutex};
    out.hits += s->hits;
    out.misses += s->misses;
    out.joined += s->joined;
    out.evictions += s->evictions;
    out.entries += s->entries.entries();
    out.bytes += s->pool.in_use_bytes();
    out.shared_reads += s->flights.size();
  }
  out.limit_bytes = limit_.load(std::memory_order_relaxed);
  return out;
}

} // namespace cairn::actors
