// Verified bytes of chunks in memory, of this node's disks and of its peers, shared by all downloads of the node. Chunk
// ids are never reused and chunks never change, so nothing is ever invalidated; the bytes of deleted chunks are evicted
// like others. What is kept is decided by S3-FIFO (base/memory/s3_fifo.hpp).
//
// An entry is what one read returned: (chunk, offset) and its bytes. A request is a hit when the entry at its offset,
// or that of the whole chunk, has all bytes that it needs. A request that misses gets a buffer of the cache and a
// cache_fill, and reads the chunk. Requests for the same bytes meanwhile join that read (single flight).
//
// Memory: limits.cache, a budget apart from limits.memory. It covers the entries, the buffers of reads that fill the
// cache, entries that were evicted while a socket still sends from them, and an estimate of the bookkeeping. When
// nothing can be evicted because sockets use it, a request gets no buffer and reads without the cache.
//
// Thread-safe. The cache is divided into shards by a hash of the chunk's id, each with its lock, its queues, and its
// part of the budget: successive chunks are in different shards, and no lock is shared by all requests.
#pragma once

#include "actors/protocol/node_status.hpp"
#include "base/ids.hpp"
#include "base/memory/buffer_pool.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace cairn::actors {

struct cache_key {
  chunk_id chunk;
  std::uint32_t offset = 0; // in the chunk: a multiple of 64 KiB
  friend bool operator==(const cache_key&, const cache_key&) = default;
};
struct cache_key_hash {
  std::size_t operator()(const cache_key& k) const noexcept {
    return std::hash<chunk_id>{}(k.chunk) + k.offset * 0x9E3779B97F4A7C15ull;
  }
};

// The result of a shared read for a download that joined it: the bytes from its offset on, or none. `cancelled`: the
// reading download has ended, and the next one may read for the others. Otherwise the read failed, and each download
// reads by itself.
struct fill_outcome {
  std::optional<slice> bytes;
  bool cancelled = false;
};

struct cache_shard;

// A read whose bytes the cache is to keep, and that others may wait for. Owned by the download that reads; the cache
// outlives it. Without landed() or failed() its end cancels it.
class cache_fill {
public:
  cache_fill(cache_shard& shard, const cache_key& key, std::uint32_t length, bool shared);
  ~cache_fill();
  cache_fill(const cache_fill&) = delete;
  cache_fill& operator=(const cache_fill&) = delete;

  buffer_ptr buffer(); // for a further attempt; null: no memory
  // The verified bytes from the offset on; fewer than asked for only at the chunk's end. Returns the bytes to use,
  // which may be a copy. A buffer of another pool is passed to the waiting reads, and not kept.
  slice landed(slice bytes);
  void failed();

private:
  void end(const slice* bytes, bool cancelled);

  cache_shard& shard_;
  const cache_key key_;
  const std::uint32_t length_;
  bool shared_; // others may wait
};

class chunk_cache {
public:
  // Reads [offset, offset + length) of the chunk, which may end earlier, for the first `needed` bytes of it.
  struct request {
    cache_key key;
    std::uint32_t length = 0, needed = 0;
  };
  // Called once, on any thread, where it must only send a message.
  using waker = std::function<void(fill_outcome)>;
  struct answer {
    std::optional<slice> bytes{};       // a hit: the needed bytes
    bool joined = false;                // the waker will be called
    std::unique_ptr<cache_fill> fill{}; // a miss: read into `buffer`. None of the three: read without the cache.
    buffer_ptr buffer{};
  };

  // At most `shards_max`, a power of two. limit_bytes 0: the cache is off.
  chunk_cache(std::size_t limit_bytes, std::size_t shards);
  ~chunk_cache(); // every fill and every slice must have been released
  chunk_cache(const chunk_cache&) = delete;
  chunk_cache& operator=(const chunk_cache&) = delete;

  // `make_waker` is called when the request joins a read; without it the request joins none.
  answer find(const request& wanted, const std::function<waker()>& make_waker);

  void set_limit(std::size_t limit_bytes); // SIGHUP; what sockets still send is released when they have sent it
  cache_stats stats() const;

private:
  cache_shard& shard_of(const chunk_id& chunk) const;

  std::atomic<std::size_t> limit_;
  std::vector<std::unique_ptr<cache_shard>> shards_;
};

// One shard for each thread that serves requests, but no more than leave each some chunks of the smallest cache.
std::size_t cache_shards(std::size_t threads);

} // namespace cairn::actors
