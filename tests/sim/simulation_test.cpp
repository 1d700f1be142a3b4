// Some thousand seeds of each scenario, and the regression seeds for good. Long runs: `cairn sim`.
#include "sim/sweep.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <thread>

namespace cairn::sim::simulation_test {

// A sanitizer takes ten times as long a seed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t cluster_seeds = 100, hostile_seeds = 20, raft_seeds = 1000;
#else
constexpr std::uint64_t cluster_seeds = 500, hostile_seeds = 60, raft_seeds = 10'000;
#endif

void sweep_without_failures(const std::string& name, std::uint64_t first, std::uint64_t last) {
  const auto* s = find_scenario(name);
  ASSERT_TRUE(s) << name;
  const auto report = sweep(*s, first, last, std::max(1u, std::thread::hardware_concurrency()));
  EXPECT_EQ(report.runs, last - first + 1);
  for (const auto& f : report.failures) {
    ADD_FAILURE() << f.scenario << " seed " << f.seed << ": " << f.problem << "\n  options: " << f.options
                  << "\n  replay: " << f.replay;
  }
}

TEST(simulation, a_download_is_exact_or_fails_loudly_and_leaves_nothing_behind) {
  sweep_without_failures("download", 1, 2000);
}

TEST(simulation, a_node_keeps_what_it_acknowledged_and_frees_what_it_deleted) {
  sweep_without_failures("node", 1, 300);
}

TEST(simulation, consensus_loses_nothing_that_it_acknowledged) {
  sweep_without_failures("raft", 1, raft_seeds);
}

TEST(simulation, a_cluster_answers_as_one_store_and_loses_nothing) {
  sweep_without_failures("cluster", 1, cluster_seeds);
}

TEST(simulation, a_cluster_on_failing_machines_loses_nothing_and_keeps_no_dead_chunk) {
  sweep_without_failures("hostile", 1, hostile_seeds);
}

// Each line: scenario, seed. A line stays for ever, with the fault that the seed once found after a #.
TEST(simulation, seeds_that_once_failed_stay_fixed) {
  std::ifstream file{CAIRN_SOURCE_DIR "/tests/sim/regression_seeds.txt"};
  ASSERT_TRUE(file);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words{line};
    std::string name;
    std::uint64_t seed = 0;
    ASSERT_TRUE(words >> name >> seed) << line;
    sweep_without_failures(name, seed, seed);
  }
}

} // namespace cairn::sim::simulation_test
