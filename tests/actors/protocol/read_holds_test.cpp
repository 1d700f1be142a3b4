#include "actors/protocol/read_holds.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::read_holds_test {

struct hand_clock final : cairn::clock {
  steady_time now() const override { return time; }
  wall_ms wall() const override { return 0; }
  steady_time time{};
};

TEST(read_holds, tells_the_oldest_index_that_is_held) {
  hand_clock clock;
  const auto holds = std::make_shared<read_holds>(clock);
  EXPECT_EQ(holds->oldest(), read_holds::none);
  auto newer = holds->acquire(7);
  auto older = holds->acquire(5);
  auto same = holds->acquire(5);
  EXPECT_EQ(holds->oldest(), 5u);
  older.reset();
  EXPECT_EQ(holds->oldest(), 5u);
  same.reset();
  EXPECT_EQ(holds->oldest(), 7u);
  newer.reset();
  EXPECT_EQ(holds->oldest(), read_holds::none);
}

TEST(read_holds, no_longer_counts_a_hold_after_a_day) {
  hand_clock clock;
  const auto holds = std::make_shared<read_holds>(clock);
  const auto hung = holds->acquire(5);
  clock.time += std::chrono::hours{23};
  const auto fresh = holds->acquire(9);
  EXPECT_EQ(holds->oldest(), 5u);
  clock.time += std::chrono::hours{1};
  EXPECT_EQ(holds->oldest(), 9u);
}

TEST(read_holds, outlives_its_owner_while_a_hold_is_left) {
  hand_clock clock;
  auto holds = std::make_shared<read_holds>(clock);
  auto hold = holds->acquire(5);
  holds.reset();
  hold.reset(); // must not touch freed memory
}

} // namespace cairn::actors::read_holds_test
