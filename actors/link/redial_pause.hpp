// The pause before a lost or failed link is dialled again: doubles from 100 ms to 10 s; each pause is drawn from half
// to one and a half of that, so that the peers of a restarted node do not all reconnect at once. A plain class.
#pragma once

#include "base/seams.hpp"

#include <algorithm>
#include <chrono>

namespace cairn::actors::link {

class redial_pause {
public:
  static constexpr std::chrono::milliseconds first{100};
  static constexpr std::chrono::milliseconds longest{10'000};

  std::chrono::milliseconds next(random_source& random) {
    const auto count = static_cast<std::uint64_t>(middle_.count());
    const auto drawn = count / 2 + random.next() % (count + 1);
    middle_ = std::min(middle_ * 2, longest);
    return std::chrono::milliseconds{static_cast<std::int64_t>(drawn)};
  }
  void succeeded() { middle_ = first; }

private:
  std::chrono::milliseconds middle_ = first;
};

} // namespace cairn::actors::link
