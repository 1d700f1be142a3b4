// One budget of bytes (`limits.memory`) for every chunk buffer of the node. Buffers are page-aligned, reference
// counted, recycled by size class (powers of two from 4 KiB to 16 MiB), so a hot download reuses memory that is still
// in the CPU's cache. Thread-safe.
//
// The rule that keeps a thousand slow clients going: a stream's *minimum* (a 64 KiB block down, a chunk up) may use the
// whole limit; *growth* beyond it succeeds only while the pool is at most half used. So full-size chunks never crowd
// out a new stream's first block, and windows shrink by themselves under pressure.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

namespace cairn::storage {

class buffer_pool;

// Bytes owned by the pool. Written by whoever acquired it, then shared read-only.
class buffer {
public:
  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::size_t capacity() const noexcept { return capacity_; }

private:
  friend class buffer_pool;
  friend void intrusive_ptr_add_ref(buffer* b) noexcept { b->references_.fetch_add(1, std::memory_order_relaxed); }
  friend void intrusive_ptr_release(buffer* b) noexcept;
  std::atomic<std::uint32_t> references_{0};
  buffer_pool* pool_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t capacity_ = 0;
};
using buffer_ptr = boost::intrusive_ptr<buffer>;

// A piece of a buffer: what travels in messages. Keeps the buffer alive.
struct slice {
  buffer_ptr owner;
  std::uint32_t offset = 0, length = 0;
  std::span<const std::byte> view() const { return {owner->data() + offset, length}; }
};

enum class reservation : std::uint8_t { minimum, growth };

class buffer_pool {
public:
  explicit buffer_pool(std::size_t limit_bytes);
  ~buffer_pool(); // every buffer must have come back
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;

  // Null when it does not fit. `size_bytes` is 1 to 16 MiB; the buffer's capacity is the size class above it.
  // A minimum also answers null while earlier waiters queue, so nobody starves.
  buffer_ptr try_acquire(std::size_t size_bytes, reservation kind);

  // Calls `ready` with a minimum reservation when one fits, first come first served: at once on this thread, or later
  // on the thread that gives a buffer back, where it must only send a message. Returns a ticket for `cancel_wait`, 0
  // when `ready` was called already.
  std::uint64_t wait(std::size_t size_bytes, std::function<void(buffer_ptr)> ready);
  bool cancel_wait(std::uint64_t ticket); // false: ready was or is being called

  void set_limit(std::size_t limit_bytes); // SIGHUP; a lower limit takes effect as buffers come back
  std::size_t limit_bytes() const;
  std::size_t in_use_bytes() const;
  std::size_t waiting() const;
  bool under_pressure() const; // growth would fail now for a 64 KiB block

private:
  friend void intrusive_ptr_release(buffer* b) noexcept;
  struct waiter {
    std::uint64_t ticket;
    std::size_t size_bytes;
    std::function<void(buffer_ptr)> ready;
  };
  static constexpr std::size_t classes = 13; // 4 KiB … 16 MiB
  buffer* take(std::size_t class_index);     // mutex held; null when the budget is spent
  void give_back(buffer* b) noexcept;
  void release_cached(std::size_t wanted_bytes); // mutex held

  mutable std::mutex mutex_;
  std::size_t limit_ = 0, in_use_ = 0, cached_ = 0;
  std::array<std::vector<buffer*>, classes> free_;
  std::deque<waiter> waiters_;
  std::uint64_t next_ticket_ = 1;
};

} // namespace cairn::storage
