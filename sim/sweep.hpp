// The scenarios there are, and how runs of many seeds are driven: for `cairn sim` and for the tests.
#pragma once

#include "sim/world/scenario.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cairn::sim {

const std::vector<scenario>& scenarios();
const scenario* find_scenario(const std::string& name);

struct failed_seed {
  std::string scenario;
  std::uint64_t seed = 0;
  std::string problem, options, replay; // replay: the command that runs it again
};
struct sweep_report {
  std::uint64_t runs = 0, repeated = 0;
  // Of the digests of all runs, in whatever order they ended: equal for equal seeds, scenario and build.
  std::uint64_t digest = 0;
  std::string options;               // of a single run
  std::vector<failed_seed> failures; // at most 20, in the order of their seeds
};
// Runs the seeds first…last on `threads` threads with a world each; every `repeat_every`-th seed runs twice and must
// end with the same digest. `progress` is called about once a second with the number of runs done, on any of the
// threads. `logs`: what the nodes log goes to standard error.
sweep_report sweep(const scenario& s, std::uint64_t first, std::uint64_t last, unsigned threads,
                   std::uint64_t repeat_every = 64, const std::function<void(std::uint64_t)>& progress = {},
                   bool logs = false);

} // namespace cairn::sim
