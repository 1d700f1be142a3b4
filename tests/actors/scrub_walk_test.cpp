#include "actors/scrub_walk.hpp"

#include <gtest/gtest.h>

namespace cairn::actors {

using namespace std::chrono_literals;

TEST(scrub_walk, reads_everything_within_the_period) {
  const scrub_walk walk{2, 1000s};
  EXPECT_EQ(walk.step_bytes(10'000ull << 20, 1s), 10ull << 20);
  EXPECT_EQ(walk.step_bytes(10'000ull << 20, 2500ms), 25ull << 20) << "later: more";
  EXPECT_EQ(walk.step_bytes(10, 1s), scrub_walk::bytes_min);
  EXPECT_EQ(walk.step_bytes(~0ull >> 1, 1s), scrub_walk::bytes_max);
  EXPECT_EQ(walk.step_bytes(100ull << 20, std::chrono::hours{9}), 6ull << 20) << "a sleep is not made up for";
}

TEST(scrub_walk, goes_from_disk_to_disk_and_begins_anew) {
  scrub_walk walk{2, 1000s};
  const storage::chunk_id reached{{1, 2}, 3};
  walk.reached(reached);
  EXPECT_EQ(walk.disk(), 0u);
  EXPECT_EQ(walk.after(), reached);
  walk.reached(std::nullopt);
  EXPECT_EQ(walk.disk(), 1u);
  EXPECT_EQ(walk.after(), std::nullopt);
  walk.reached(std::nullopt);
  EXPECT_EQ(walk.disk(), 0u);
}

} // namespace cairn::actors
