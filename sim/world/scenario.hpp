// A simulated run: it ends with the problem that it found, if any, the options that its seed drew, and a digest. The
// same seed gives the same digest.
#pragma once

#include "sim/world/world.hpp"

#include <cstdint>
#include <string>

namespace cairn::sim {

struct run_result {
  std::string problem; // empty: every check held
  std::string options; // what the seed drew, as text
  std::uint64_t digest = 0;
};

struct scenario {
  const char* name;
  const char* about;
  run_result (*run)(world& w, std::uint64_t seed);
};

} // namespace cairn::sim
