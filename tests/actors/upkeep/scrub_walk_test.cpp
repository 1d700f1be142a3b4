#include "actors/upkeep/scrub_walk.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::scrub_walk_test {

using namespace std::chrono_literals;

constexpr steady_time start{100s};
constexpr chunk_id some{{1, 2}, 3};

TEST(scrub_walk, reads_everything_within_the_period) {
  scrub_walk walk{2, 1000s, start};
  EXPECT_EQ(walk.step_bytes(10'000ull << 20, start + 1s), 10ull << 20);
  EXPECT_EQ(walk.step_bytes(10'000ull << 20, start + 3500ms), 25ull << 20) << "later: more";
  EXPECT_EQ(walk.step_bytes(10, start + 4500ms), scrub_walk::bytes_min);
  EXPECT_EQ(walk.step_bytes(~0ull >> 1, start + 5500ms), scrub_walk::bytes_max);
  EXPECT_EQ(walk.step_bytes(100ull << 20, start + std::chrono::hours{9}), 6ull << 20) << "a sleep is not made up for";
}

TEST(scrub_walk, goes_from_disk_to_disk_and_rests_until_the_period_is_over) {
  scrub_walk walk{2, 1000s, start};
  EXPECT_TRUE(walk.due(start));
  walk.reached(some);
  EXPECT_EQ(walk.disk(), 0u);
  EXPECT_EQ(walk.after(), some);
  walk.reached(std::nullopt);
  EXPECT_EQ(walk.disk(), 1u);
  EXPECT_EQ(walk.after(), std::nullopt);
  EXPECT_TRUE(walk.due(start + 1s));
  walk.reached(std::nullopt);
  EXPECT_FALSE(walk.due(start + 2s)) << "all was read";
  EXPECT_FALSE(walk.due(start + 999s));
  EXPECT_TRUE(walk.due(start + 1000s)) << "the next pass";
  EXPECT_EQ(walk.disk(), 0u);
  EXPECT_EQ(walk.step_bytes(1000ull << 20, start + 1002s), 2ull << 20) << "the rest is not made up for";
  walk.reached(std::nullopt);
  walk.reached(std::nullopt);
  EXPECT_FALSE(walk.due(start + 1999s));
  EXPECT_TRUE(walk.due(start + 2000s));
}

TEST(scrub_walk, goes_on_when_a_pass_takes_longer_than_the_period) {
  scrub_walk walk{1, 10s, start};
  walk.reached(some);
  EXPECT_TRUE(walk.due(start + 15s));
  EXPECT_EQ(walk.after(), some) << "it is not begun anew";
  walk.reached(std::nullopt);
  EXPECT_TRUE(walk.due(start + 16s));
  EXPECT_EQ(walk.after(), std::nullopt);
}

TEST(scrub_walk, begins_anew_when_it_is_told_to) {
  scrub_walk walk{1, 1000s, start};
  walk.reached(std::nullopt);
  EXPECT_FALSE(walk.due(start + 1s));
  walk.begin(start + 2s);
  EXPECT_TRUE(walk.due(start + 2s));
  walk.reached(some);
  for (int i = 0; i < 3; ++i) walk.begin(start + 3s);
  EXPECT_EQ(walk.after(), some) << "the pass that is under way comes to its end";
  walk.reached(std::nullopt);
  EXPECT_TRUE(walk.due(start + 4s)) << "then the one that was asked for";
  walk.reached(some);
  walk.reached(std::nullopt);
  EXPECT_FALSE(walk.due(start + 5s));
  EXPECT_TRUE(walk.due(start + 1002s));
}

TEST(scrub_walk, reads_all_disks_again_when_it_is_told_to_on_the_last_one) {
  scrub_walk walk{2, 1000s, start};
  walk.reached(std::nullopt);
  walk.begin(start + 1s);
  for (const std::size_t disk : {1, 0, 1}) {
    EXPECT_TRUE(walk.due(start + 2s));
    EXPECT_EQ(walk.disk(), disk);
    walk.reached(std::nullopt);
  }
  EXPECT_FALSE(walk.due(start + 3s));
}

TEST(scrub_walk, has_nothing_to_do_without_disks) {
  scrub_walk walk{0, 1000s, start};
  EXPECT_FALSE(walk.due(start + 5000s));
}

} // namespace cairn::actors::scrub_walk_test
