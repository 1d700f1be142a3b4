// Paces bytes to `rate` a second, with a burst of a tenth of a second after an idle time. A plain class.
#pragma once

#include "base/seams.hpp"

#include <algorithm>

namespace cairn::actors {

class byte_pace {
public:
  // Books these bytes and returns when they may be sent. `rate`: bytes a second, above 0.
  steady_time book(steady_time now, std::uint64_t bytes, std::uint64_t rate) {
    const auto begin = std::max(free_at_, now - burst);
    free_at_ = begin + std::chrono::nanoseconds{std::int64_t(double(bytes) * 1e9 / double(rate))};
    return std::max(begin, now);
  }

private:
  static constexpr std::chrono::milliseconds burst{100};
  steady_time free_at_{};
};

} // namespace cairn::actors
