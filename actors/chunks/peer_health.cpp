#include "actors/chunks/peer_health.hpp"

#include <algorithm>
#include <bit>

namespace cairn::actors {

namespace {

constexpr unsigned first_octave = 6; // 64 µs

} // namespace

std::size_t peer_health::bucket_of(std::uint64_t us) noexcept {
  const auto bounded = std::max<std::uint64_t>(us, 1u << first_octave);
  const unsigned octave = static_cast<unsigned>(std::bit_width(bounded)) - 1;
  const auto quarter = (bounded >> (octave - 2)) & 3;
  return std::min<std::size_t>((octave - first_octave) * 4 + quarter, buckets - 1);
}

std::uint64_t peer_health::upper_bound_us(std::size_t bucket) noexcept {
  return (std::uint64_t{5} + bucket % 4) << (first_octave - 2 + bucket / 4);
}

void peer_health::answered(std::uint64_t us) noexcept {
  overdue_.store(0, std::memory_order_relaxed);
  const auto before = typical_.load(std::memory_order_relaxed);
  typical_.store(std::max<std::uint64_t>(1, before == 0 ? us : before - before / 8 + us / 8),
                 std::memory_order_relaxed);
  ++counts_[bucket_of(us)];
  ++total_;
  if (++since_halved_ == halve_every) {
    since_halved_ = total_ = 0;
    for (auto& c : counts_) total_ += c /= 2;
  }
  if (total_ >= reads_min && (p95_us() == 0 || since_halved_ % refresh_every == 0)) refresh_p95();
}

void peer_health::alive() noexcept {
  overdue_.store(0, std::memory_order_relaxed);
}

void peer_health::overdue() noexcept {
  overdue_.fetch_add(1, std::memory_order_relaxed);
}

void peer_health::refresh_p95() noexcept {
  std::uint32_t above = total_ / 20;
  std::size_t b = buckets - 1;
  for (; b > 0 && counts_[b] <= above; --b) above -= counts_[b];
  p95_.store(upper_bound_us(b), std::memory_order_relaxed);
}

} // namespace cairn::actors
