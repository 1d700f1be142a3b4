// How fast one peer answers reads of chunks, for the choice among replicas: a typical time, the 95th percentile (when
// to hedge), and whether the peer is suspect: three reads overdue and none answered since. Its remote_store writes it,
// any thread reads it. Microseconds.
//
// The percentile comes from counts in buckets that grow by a quarter of an octave. All counts are halved every 256
// reads, so that the last few hundred reads decide.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace cairn::actors {

class peer_health {
public:
  static constexpr std::uint32_t suspect_after = 3;

  // Called by one thread at a time.
  void answered(std::uint64_t us) noexcept; // a read that returned bytes
  void alive() noexcept;                    // any other answer
  void overdue() noexcept;

  bool suspect() const noexcept { return overdue_.load(std::memory_order_relaxed) >= suspect_after; }
  std::uint64_t typical_us() const noexcept { return typical_.load(std::memory_order_relaxed); } // 0: not known
  // An upper bound, at most a fifth above the true value; 0: too few reads.
  std::uint64_t p95_us() const noexcept { return p95_.load(std::memory_order_relaxed); }

private:
  static constexpr std::size_t buckets = 80; // from 64 µs to about 67 s
  static constexpr std::uint32_t reads_min = 16, halve_every = 256, refresh_every = 8;
  static std::size_t bucket_of(std::uint64_t us) noexcept;
  static std::uint64_t upper_bound_us(std::size_t bucket) noexcept;
  void refresh_p95() noexcept;

  std::array<std::uint32_t, buckets> counts_{};
  std::uint32_t total_ = 0, since_halved_ = 0;
  std::atomic<std::uint32_t> overdue_{0};
  std::atomic<std::uint64_t> typical_{0}, p95_{0};
};

} // namespace cairn::actors
