// Rate limit for log lines whose events outsiders can cause at any rate: at most one line per `pause`, with the number
// of events that were not logged in between. A plain class; one owner.
#pragma once

#include "base/seams.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace cairn {

class log_pace {
public:
  log_pace(const clock& c, std::chrono::nanoseconds pause) : clock_(c), pause_(pause) {}

  // Called for each event. Returns the number of events skipped since the last line, or nullopt if this one is skipped.
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

} // namespace cairn
