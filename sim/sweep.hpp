// The list of scenarios, and the driver that runs many seeds: for `cairn sim` and for the tests.
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
  // Over the digests of all runs, in any order: equal for equal seeds, scenario and build.
  std::uint64_t digest = 0;
  std::string options;               // of the run that ended last
  std::vector<failed_seed> failures; // at most 20, in the order of their seeds
};
// Runs the seeds first…last on `threads` threads with one world each. Every `repeat_every`-th seed runs twice and must
// end with the same digest. `progress` is called about once a second with the number of finished runs, on any of the
// threads. `logs`: the nodes' log goes to standard error.
sweep_report sweep(const scenario& s, std::uint64_t first, std::uint64_t last, unsigned threads,
                   std::uint64_t repeat_every = 64, const std::function<void(std::uint64_t)>& progress = {},
                   bool logs = false);

} // namespace cairn::sim
