#include "net/wire/transfer_pace.hpp"

#include <algorithm>
#include <limits>

namespace cairn::net {

bool transfer_pace::too_slow(steady_time now, std::uint64_t transfer, std::uint64_t moved, const client_wait& wait,
                             const pace_limits& limits) {
  if (transfer != transfer_) {
    *this = {};
    transfer_ = transfer;
    from_ = moved;
  }
  if (wait.now && waited_then_)
    waited_ += std::max<std::chrono::nanoseconds>(now - checked_ - (wait.paced - paced_), std::chrono::nanoseconds{0});
  checked_ = now;
  paced_ = wait.paced;
  waited_then_ = wait.now;
  if (waited_ < limits.window) return false;
  const auto seconds = std::chrono::duration<double>(waited_).count();
  const bool slow = grace_over_ && static_cast<double>(moved - from_) < double(limits.bytes_per_second) * seconds;
  grace_over_ = true;
  from_ = moved;
  waited_ = {};
  return slow;
}

std::uint64_t transfer_pace::rate(std::uint64_t moved) const {
  if (waited_ < rate_known_after) return std::numeric_limits<std::uint64_t>::max();
  const auto ms = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(waited_).count());
  return (moved - from_) * 1000 / ms;
}

bool delivery_pace::keeps(steady_time now, std::uint64_t transfer, std::uint64_t delivered, const pace_limits& limits) {
  bool kept = true; // of a transfer at which nobody has looked, nothing is known
  if (transfer == transfer_) {
    if (now - since_ < limits.window) return true;
    const auto seconds = std::chrono::duration<double>(limits.window).count();
    kept = double(delivered) - double(from_) >= double(limits.bytes_per_second) * seconds;
  }
  transfer_ = transfer;
  from_ = delivered;
  since_ = now;
  return kept;
}

} // namespace cairn::net
