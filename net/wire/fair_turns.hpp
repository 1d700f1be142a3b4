// Limits expensive work (listings, multi-deletes, completions, steps of TLS handshakes, pieces of answers): a bounded
// number runs at once, fewer of one party, and waiting parties are served round-robin. A new party therefore waits only
// for running work, not for all that another party has queued. The queue is bounded by the connections, which have one
// request each.
// Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace cairn::net {

class fair_turns : public std::enable_shared_from_this<fair_turns> {
public:
  fair_turns(std::uint32_t turns_max, std::uint32_t each_max) : turns_max_(turns_max), each_max_(each_max) {}

  // A turn ends when its last copy is destroyed.
  using turn = std::shared_ptr<void>;
  // Calls `begin` with a turn: at once, or later on the thread that ends another turn; there `begin` must only post.
  void take(const std::string& party, std::function<void(turn)> begin);
  std::size_t waiting() const;

private:
  struct party_state {
    std::uint32_t running = 0;
    std::deque<std::function<void(turn)>> waiters;
  };
  using parties = std::unordered_map<std::string, party_state>;
  void ended(const std::string& party);
  turn make_turn(const std::string& party);

  mutable std::mutex mutex_;
  const std::uint32_t turns_max_, each_max_;
  std::uint32_t running_ = 0;
  std::size_t waiting_ = 0;
  parties parties_;
  std::deque<std::string> next_; // parties with waiters that may have another turn
};

} // namespace cairn::net
