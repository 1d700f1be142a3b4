#include "base/metrics.hpp"

#include <algorithm>
#include <bit>

namespace cairn {

void latency_histogram::observe_us(std::uint64_t us) noexcept {
  const std::uint64_t steps = us == 0 ? 0 : (us - 1) >> 4; // bucket i holds values of at most 16 << i
  const std::size_t bucket = std::min<std::size_t>(std::bit_width(steps), buckets - 1);
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(us, std::memory_order_relaxed);
}

} // namespace cairn
