// A token bucket: `per_second` tokens come in each second, up to `burst`; who spends more waits until they have come.
// Kept as what was spent and has not come in again, so that an unused bucket is full whatever its rate, and a new rate
// takes nothing back. A plain class without a clock. A clock that goes back gives nothing and takes nothing.
#pragma once

#include "base/seams.hpp"

#include <algorithm>
#include <chrono>

namespace cairn::net {

struct token_rate {
  double per_second = 1, burst = 1; // above 0
};

class token_bucket {
public:
  // One token; false: there is none, and nothing changes.
  bool take(const token_rate& rate, steady_time now) {
    refill(rate, now);
    if (spent_ + 1 > rate.burst + rounding) return false;
    spent_ += 1;
    return true;
  }

  // Any number: the bucket may owe tokens afterwards.
  void spend(double tokens, const token_rate& rate, steady_time now) {
    refill(rate, now);
    spent_ += tokens;
  }

  // Until it holds so many tokens; 0: it does.
  std::chrono::nanoseconds time_until(double tokens, const token_rate& rate, steady_time now) {
    refill(rate, now);
    const auto seconds = std::clamp((spent_ + tokens - rate.burst) / rate.per_second, 0.0, 86400.0);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
  }

  bool full(const token_rate& rate, steady_time now) {
    refill(rate, now);
    return spent_ == 0;
  }

private:
  void refill(const token_rate& rate, steady_time now) {
    if (now > at_) spent_ = std::max(0.0, spent_ - std::chrono::duration<double>(now - at_).count() * rate.per_second);
    at_ = now;
  }

  static constexpr double rounding = 1e-6; // who comes after time_until() finds the token

  double spent_ = 0;
  steady_time at_{};
};

} // namespace cairn::net
