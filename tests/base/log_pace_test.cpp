#include "base/log_pace.hpp"

#include <gtest/gtest.h>

namespace cairn::log_pace_test {

using namespace std::chrono_literals;

class set_clock final : public clock {
public:
  steady_time now() const override { return at; }
  wall_ms wall() const override { return 0; }
  steady_time at{1h};
};

TEST(log_pace, logs_one_event_per_pause_and_counts_the_skipped_ones) {
  set_clock clock;
  log_pace pace{clock, 10s};
  EXPECT_EQ(pace.due(), 0u);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(pace.due(), std::nullopt);
  clock.at += 10s - 1ns;
  EXPECT_EQ(pace.due(), std::nullopt);
  clock.at += 1ns;
  EXPECT_EQ(pace.due(), 8u);
  EXPECT_EQ(pace.due(), std::nullopt);
  clock.at += 1h;
  EXPECT_EQ(pace.due(), 1u);
  clock.at += 10s;
  EXPECT_EQ(pace.due(), 0u) << "skipped events are counted once";
}

} // namespace cairn::log_pace_test
