// How much of the buffer pool each party holds: one account per access key, and one per address (IPv6: /64) of clients
// without a key. The pool charges the account for its buffers and other bytes.
//
// The shares follow the dynamic thresholds of shared-memory switches (Choudhury and Hahne, "Dynamic Queue Length
// Thresholds for Shared-Memory Packet Switches", 1998): an account may hold at most `factor` times the free memory. So
// a single account gets 7/8 of the pool and each of n accounts 7/(7n + 1), without counting accounts, and some memory
// is always free for a new account. Thread-safe: the pool writes under its mutex, any thread reads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace cairn {

namespace memory_shares {

constexpr std::size_t factor = 7;
constexpr std::size_t growth_divisor = 4;

// Whether an account that holds `held` may take `more` as a stream's minimum. An account that holds nothing always may.
constexpr bool allows(std::size_t held, std::size_t more, std::size_t free) {
  return held == 0 || held + more <= factor * free;
}
// Whether an account may grow although more than half of the pool is used: others hold that memory, not this account.
constexpr bool allows_growth(std::size_t held, std::size_t more, std::size_t free) {
  return held + more <= free / growth_divisor;
}

} // namespace memory_shares

class memory_account {
public:
  explicit memory_account(std::string name) : name_(std::move(name)) {}
  memory_account(const memory_account&) = delete;
  memory_account& operator=(const memory_account&) = delete;

  const std::string& name() const noexcept { return name_; } // "key:…" or "ip:…"
  std::size_t held_bytes() const noexcept { return held_.load(std::memory_order_relaxed); }
  std::atomic<std::uint32_t> connections{0}; // open connections of the party; maintained by the connections themselves

private:
  friend class buffer_pool;
  const std::string name_;
  std::atomic<std::size_t> held_{0};
};
using account_ptr = std::shared_ptr<memory_account>;

} // namespace cairn
