// One budget of bytes (`limits.memory`) for all chunk buffers of the node. Buffers are page-aligned, reference counted
// and recycled by size class (powers of two from 4 KiB to 16 MiB), so a hot download reuses memory that is still in the
// CPU's cache. Thread-safe.
//
// Admission: a stream's *minimum* (a 64 KiB block of a download, a chunk of an upload) may use the whole limit;
// *growth* beyond it succeeds only while at most half of the pool is used, or for an account that holds little
// (memory_shares::allows_growth). So full-size chunks never deny a new stream its first block, and windows shrink under
// memory pressure. Memory that is charged to an account (base/memory/memory_account.hpp) is also limited by the
// account's share; memory without an account belongs to the node itself.
//
// Memory outside the buffers (a document being collected, a response being sent) is counted by a `memory_charge`.
#pragma once

#include "base/memory/memory_account.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace cairn {

class buffer_pool;

// Bytes owned by the pool. The acquirer writes them, then they are shared read-only.
class buffer {
public:
  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::size_t capacity() const noexcept { return capacity_; }
  const account_ptr& payer() const noexcept { return payer_; }                                // null: the node itself
  bool is_shared() const noexcept { return references_.load(std::memory_order_relaxed) > 1; } // by several pointers

private:
  friend class buffer_pool;
  friend void intrusive_ptr_add_ref(buffer* b) noexcept { b->references_.fetch_add(1, std::memory_order_relaxed); }
  friend void intrusive_ptr_release(buffer* b) noexcept;
  std::atomic<std::uint32_t> references_{0};
  buffer_pool* pool_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t capacity_ = 0;
  account_ptr payer_; // null: the node itself
};
using buffer_ptr = boost::intrusive_ptr<buffer>;

// A range of a buffer, as it is sent in messages. Keeps the buffer alive.
struct slice {
  buffer_ptr owner;
  std::uint32_t offset = 0, length = 0;
  std::span<const std::byte> view() const { return {owner->data() + offset, length}; }
};

enum class reservation : std::uint8_t { minimum, growth };

// Bytes outside the buffers that count against the pool's limit until the charge is destroyed.
class memory_charge {
public:
  memory_charge() = default;
  memory_charge(memory_charge&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)),
        payer_(std::move(other.payer_)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  memory_charge& operator=(memory_charge&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(payer_, other.payer_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~memory_charge();

  std::size_t bytes() const noexcept { return bytes_; }
  bool resize(std::size_t bytes); // false: more than the pool or the share allows, nothing changes. Shrinking succeeds.

private:
  friend class buffer_pool;
  memory_charge(buffer_pool* pool, account_ptr payer, std::size_t bytes)
      : pool_(pool), payer_(std::move(payer)), bytes_(bytes) {}
  buffer_pool* pool_ = nullptr;
  account_ptr payer_;
  std::size_t bytes_ = 0;
};

class buffer_pool {
public:
  explicit buffer_pool(std::size_t limit_bytes);
  ~buffer_pool(); // every buffer and charge must have been released
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;

  // Null when the buffer does not fit or exceeds the payer's share. `size_bytes` is 1 to 16 MiB; the buffer's capacity
  // is rounded up to the size class. Also null while the same payer, or any payer within its share, waits for memory,
  // so that no waiter starves.
  buffer_ptr try_acquire(std::size_t size_bytes, reservation kind, const account_ptr& payer = nullptr);
  // Admitted as a minimum; nullopt when it does not fit.
  std::optional<memory_charge> try_charge(std::size_t bytes, const account_ptr& payer);

  // Calls `ready` with a minimum reservation as soon as one fits: accounts are served round-robin, the waiters of one
  // account in order of arrival. `ready` runs at once on this thread, or later on the thread that releases memory,
  // where it must only send a message. Returns a ticket for `cancel_wait`, or 0 if `ready` was already called.
  std::uint64_t wait(std::size_t size_bytes, std::function<void(buffer_ptr)> ready, const account_ptr& payer = nullptr);
  bool cancel_wait(std::uint64_t ticket); // false: ready was or is being called

  bool owns(const buffer& b) const noexcept { return b.pool_ == this; }

  void set_limit(std::size_t limit_bytes); // SIGHUP; a lower limit takes effect as buffers are released
  std::size_t limit_bytes() const;
  std::size_t in_use_bytes() const;
  std::size_t waiting() const;

private:
  friend void intrusive_ptr_release(buffer* b) noexcept;
  friend class memory_charge;
  struct waiter {
    std::uint64_t ticket;
    std::size_t size_bytes;
    std::function<void(buffer_ptr)> ready;
  };
  struct queue { // of one account
    account_ptr payer;
    std::deque<waiter> waiters;
  };
  using served_list = std::vector<std::pair<std::function<void(buffer_ptr)>, buffer_ptr>>;
  static constexpr std::size_t classes = 13;    // 4 KiB … 16 MiB
  static constexpr std::size_t passed_max = 64; // accounts beyond their share that one release of memory skips

  // With the mutex held:
  buffer* take(std::size_t class_index, const account_ptr& payer); // null when the budget is spent
  bool entitled(const account_ptr& payer, std::size_t bytes) const;
  queue* queue_of(const account_ptr& payer);
  void serve(served_list& served);
  void release_cached(std::size_t wanted_bytes);
  void put_back(std::size_t bytes, const account_ptr& payer);

  static void call_ready(served_list& served);
  void give_back(buffer* b) noexcept;
  bool grow_charge(std::size_t more, const account_ptr& payer);
  void give_back_charge(std::size_t bytes, const account_ptr& payer);

  mutable std::mutex mutex_;
  std::size_t limit_ = 0, in_use_ = 0, cached_ = 0, waiting_ = 0;
  bool short_ = false; // a waiter within its share waits because the budget is spent
  std::array<std::vector<buffer*>, classes> free_;
  std::deque<queue> queues_; // accounts with waiters, next in turn first
  std::uint64_t next_ticket_ = 1;
};

} // namespace cairn
