#include "sim/world/world.hpp"

#include <gtest/gtest.h>

namespace cairn::sim::world_test {

using namespace std::chrono_literals;

TEST(world, a_process_shows_the_same_wall_time_in_every_run_of_a_world) {
  world w;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    w.begin(seed);
    w.run_for(10min);
    machine process{w.now(), w.begun(), {}};
    EXPECT_EQ(process.wall(), w.clock().wall());
    EXPECT_EQ(process.wall(), 1'760'000'000'000 + 600'000);
  }
}

} // namespace cairn::sim::world_test
