// What a simulated run is. It ends with the problem it found, if any, the options that its seed drew, and a digest;
// the same seed gives the same digest.
#pragma once

#include "sim/world/world.hpp"

#include <cstdint>
#include <string>

namespace cairn::sim {

struct run_result {
  std::string problem; // empty: every check held
  std::string options; // what the seed drew, for people
  std::uint64_t digest = 0;
};

struct scenario {
  const char* name;
  const char* about;
  run_result (*run)(world& w, std::uint64_t seed);
};

} // namespace cairn::sim
