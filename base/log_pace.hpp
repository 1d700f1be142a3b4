// When an event that strangers can cause at any rate may be logged again: once in a while, with the number of times
// that were left out in between. A decision; one owner.
#pragma once

#include "base/seams.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace cairn::storage {

class log_pace {
public:
  log_pace(const clock& c, std::chrono::nanoseconds pause) : clock_(c), pause_(pause) {}

  // It happened. How often it was left out since the last line; nothing: it is left out now.
  std::optional<std::uint64_t> due() {
    const auto now = clock_.now();
    if (last_ && now - *last_ < pause_) {
      ++left_out_;
      return std::nullopt;
    }
    last_ = now;
    return std::exchange(left_out_, 0);
  }

private:
  const clock& clock_;
  const std::chrono::nanoseconds pause_;
  std::optional<steady_time> last_;
  std::uint64_t left_out_ = 0;
};

} // namespace cairn::storage
