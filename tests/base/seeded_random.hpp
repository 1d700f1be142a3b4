// The randomness seam with a seed, for tests.
#pragma once

#include "base/seams.hpp"

#include <random>

namespace cairn {

class seeded_random final : public random_source {
public:
  explicit seeded_random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

private:
  std::mt19937_64 engine_;
};

} // namespace cairn
