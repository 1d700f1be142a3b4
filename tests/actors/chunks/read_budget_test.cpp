#include "actors/chunks/read_budget.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::read_budget_test {

TEST(read_budget, lets_a_burst_through_and_then_the_percentage) {
  token_bucket b{5, 10};
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(b.try_take());
  EXPECT_FALSE(b.try_take());
  int taken = 0;
  for (int i = 0; i < 1000; ++i) {
    b.earn();
    taken += b.try_take();
  }
  EXPECT_EQ(taken, 50);
}

TEST(read_budget, never_saves_more_than_the_burst) {
  token_bucket b{10, 3};
  for (int i = 0; i < 1000; ++i) b.earn();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(b.try_take());
  EXPECT_FALSE(b.try_take());
}

TEST(read_budget, is_empty_after_busy_and_fills_again) {
  token_bucket b{50, 3};
  b.drain();
  EXPECT_FALSE(b.try_take());
  b.earn();
  EXPECT_FALSE(b.try_take());
  b.earn();
  EXPECT_TRUE(b.try_take());
}

} // namespace cairn::actors::read_budget_test
