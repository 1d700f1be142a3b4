// The random draws of a simulated run from its seed, and the digest that shows whether two runs were identical.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace cairn::sim {

// FNV-1a over the events of a run.
class run_digest {
public:
  void add(std::uint64_t x) noexcept {
    for (int shift = 0; shift < 64; shift += 8) value_ = (value_ ^ (x >> shift & 255)) * 1099511628211ull;
  }
  std::uint64_t value() const noexcept { return value_; }

private:
  std::uint64_t value_ = 14695981039346656037ull;
};

// Draws that are equal with every standard library.
class dice {
public:
  explicit dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() { return engine_(); }
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : engine_() % n; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  bool chance(double p) { return double(engine_() >> 11) * 0x1.0p-53 < p; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

private:
  std::mt19937_64 engine_;
};

} // namespace cairn::sim
