// The budget of a node for reads beyond those that its downloads asked for. Each read earns some percent of a token; a
// hedge or a further round of retries takes one token. So hedges and retries never add much load to a slow or
// overloaded cluster; a peer that answers busy empties the bucket. Plain classes, any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace cairn::actors {

class token_bucket {
public:
  token_bucket(std::uint32_t percent, std::uint32_t burst) : percent_(percent), most_(burst * 100), level_(most_) {}

  void earn() noexcept {
    const auto level = level_.load(std::memory_order_relaxed);
    if (level < most_)
      level_.store(std::min(most_, level + percent_), std::memory_order_relaxed); // a lost update does no harm
  }
  bool try_take() noexcept {
    auto level = level_.load(std::memory_order_relaxed);
    while (level >= 100) {
      if (level_.compare_exchange_weak(level, level - 100, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void drain() noexcept { level_.store(0, std::memory_order_relaxed); }

private:
  const std::int64_t percent_, most_;
  std::atomic<std::int64_t> level_; // hundredths
};

struct read_budget {
  token_bucket hedges{5, 32}, retries{10, 64};
  void earn() noexcept {
    hedges.earn();
    retries.earn();
  }
};

} // namespace cairn::actors
