#include "actors/upkeep/byte_pace.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::byte_pace_test {
using namespace std::chrono_literals;

TEST(byte_pace, keeps_to_the_rate_after_a_small_burst) {
  byte_pace pace;
  const steady_time start{100s};
  EXPECT_EQ(pace.book(start, 100, 1000), start) << "a tenth of a second was saved up";
  EXPECT_EQ(pace.book(start, 1000, 1000), start);
  EXPECT_EQ(pace.book(start, 1000, 1000), start + 1s);
  EXPECT_EQ(pace.book(start + 500ms, 500, 1000), start + 2s);
}

TEST(byte_pace, saves_up_no_more_than_the_burst) {
  byte_pace pace;
  pace.book(steady_time{100s}, 1, 1000);
  const steady_time later{900s};
  EXPECT_EQ(pace.book(later, 1100, 1000), later);
  EXPECT_EQ(pace.book(later, 1, 1000), later + 1s);
}

TEST(byte_pace, follows_a_rate_that_changes) {
  byte_pace pace;
  const steady_time start{100s};
  pace.book(start, 1100, 1000);
  EXPECT_EQ(pace.book(start, 2000, 2000), start + 1s);
  EXPECT_EQ(pace.book(start, 1, 2000), start + 2s);
}

} // namespace cairn::actors::byte_pace_test
