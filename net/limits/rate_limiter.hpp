// limits.rates: how many requests and bytes a second, and how many requests at once, an access key, a bucket or an
// address (IPv6: /64) gets from this node. Requests beyond the limit are refused; bytes are paced: the connection waits
// before its next piece until the bytes before it are paid, and then goes on without looking again, so that the
// transfers of a party take turns.
//
// Each party has an account while it uses its limits. An account is dropped when it equals a new one, never before, so
// nobody gets a fresh one by crowding out his own. Beyond `parties_max` of a kind, or when limits.memory has no room
// for more, the parties without an account share one. Thread-safe; no clock of its own.
#pragma once

#include "base/memory/buffer_pool.hpp"
#include "config/address_prefix.hpp"
#include "config/config.hpp"
#include "net/limits/token_bucket.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cairn::net {

constexpr std::size_t rate_kinds = 3; // of config::rate_of

struct rate_limits { // 0: none
  std::uint32_t requests_per_second = 0, transfers = 0;
  std::uint64_t bytes_per_second = 0;
  bool any() const { return requests_per_second > 0 || transfers > 0 || bytes_per_second > 0; }
};

// What one party uses. Thread-safe.
class rate_account {
public:
  explicit rate_account(const rate_limits& limits);

  void change(const rate_limits& limits);
  // Begins a request. nullopt: it may run, and ends with end_request(); else the time after which to try again.
  std::optional<std::chrono::nanoseconds> begin_request(steady_time now);
  void end_request();
  bool is_unused(steady_time now);

  std::uint64_t bytes_per_second() const { return bytes_per_second_.load(std::memory_order_relaxed); } // 0: any
  std::chrono::nanoseconds pause(steady_time now); // before the next piece
  void count(std::size_t bytes, steady_time now);

private:
  token_rate requests_rate() const;
  token_rate bytes_rate() const;

  std::mutex mutex_;
  rate_limits limits_;
  std::atomic<std::uint64_t> bytes_per_second_;
  token_bucket requests_, bytes_;
  std::uint32_t running_ = 0;
};

// The accounts of one request: at most one of each kind. The request ends with it.
class rate_ticket {
public:
  rate_ticket() = default;
  ~rate_ticket() { end(); }
  rate_ticket(const rate_ticket&) = delete;
  rate_ticket& operator=(const rate_ticket&) = delete;

  void end();
  bool paces() const; // whether the bytes have a limit
  // A sixteenth of a second at the lowest rate, at most 256 KiB: the next read or write.
  std::size_t piece_bytes() const;
  std::chrono::nanoseconds pause(steady_time now) const;
  void count(std::size_t bytes, steady_time now);

private:
  friend class rate_limiter;
  std::array<std::shared_ptr<rate_account>, rate_kinds> accounts_; // by config::rate_of
};

class rate_limiter {
public:
  static constexpr std::size_t parties_max = 1 << 16; // of each kind
  static constexpr std::size_t account_bytes = 512;   // charged to limits.memory

  explicit rate_limiter(std::shared_ptr<buffer_pool> memory);

  void apply(const std::vector<config::rate_limit>& rates); // SIGHUP; also for running requests
  // Whether there are limits of this kind.
  bool limits(config::rate_of of) const {
    return tables_[static_cast<std::size_t>(of)].active.load(std::memory_order_relaxed);
  }
  // Counts a request. nullopt: it is within the limits, and the ticket has the account; else the time after which to
  // try again. `bytes`: what has come of the body. The name of an address is its text.
  std::optional<std::chrono::nanoseconds> admit(config::rate_of of, std::string_view name, std::size_t bytes,
                                                steady_time now, rate_ticket& ticket);

private:
  struct rule {
    rate_limits limits;
    std::shared_ptr<rate_account> rest; // of the parties without an account
  };
  struct table {
    std::atomic<bool> active{false};
    std::unordered_map<std::string, rule> named;
    std::vector<std::pair<config::address_prefix, rule>> prefixes; // longest first
    std::optional<rule> others;
    std::unordered_map<std::string, std::shared_ptr<rate_account>> accounts;
    std::size_t sweep_at = 0;
    std::optional<steady_time> swept;
  };
  static std::string party_of(config::rate_of of, std::string_view name);
  static const rule* rule_of(const table& t, const std::string& party);

  // With the mutex held:
  std::shared_ptr<rate_account> account_of(table& t, const rule& r, const std::string& party, steady_time now);
  void sweep(table& t, steady_time now);
  std::size_t accounts() const;
  bool charge(std::size_t accounts);

  std::mutex mutex_;
  const std::shared_ptr<buffer_pool> memory_;
  memory_charge charge_;
  std::array<table, rate_kinds> tables_; // by config::rate_of
};

} // namespace cairn::net
