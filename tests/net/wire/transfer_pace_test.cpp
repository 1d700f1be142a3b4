#include "net/wire/transfer_pace.hpp"

#include <gtest/gtest.h>

namespace cairn::net::transfer_pace_test {

using namespace std::chrono_literals;

// A client that is looked at each second and moves so many bytes between looks.
struct client {
  transfer_pace pace;
  pace_limits limits{1000, 10s};
  steady_time now{1000s};
  std::uint64_t moved = 5'000'000, transfer = 1;
  std::chrono::nanoseconds paced{7s};

  // The second in which it was too slow; 0: never.
  int run(int seconds, std::uint64_t bytes_each, bool waits = true, std::chrono::milliseconds paced_each = 0ms) {
    for (int second = 1; second <= seconds; ++second) {
      now += 1s;
      moved += bytes_each;
      paced += paced_each;
      if (pace.too_slow(now, transfer, moved, {waits, paced}, limits)) return second;
    }
    return 0;
  }
};

TEST(transfer_pace, gives_the_first_window_and_ends_what_is_slow_in_the_second) {
  client c;
  EXPECT_EQ(c.run(60, 100), 21);
}

TEST(transfer_pace, lets_a_slow_link_live_that_keeps_the_rate) {
  client c;
  EXPECT_EQ(c.run(600, 1000), 0);
}

TEST(transfer_pace, averages_over_the_window) {
  client c;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(c.run(9, 0), 0) << "a pause within a window";
    EXPECT_EQ(c.run(1, 11'000), 0);
  }
}

TEST(transfer_pace, counts_no_time_in_which_the_node_is_late) {
  client c;
  EXPECT_EQ(c.run(600, 0, false), 0);
}

TEST(transfer_pace, counts_no_time_in_which_limits_make_the_client_wait) {
  client c;
  EXPECT_EQ(c.run(600, 100, true, 950ms), 0) << "2000 bytes a second of the time that is the client's";
  client slow;
  EXPECT_EQ(slow.run(600, 100, true, 500ms), 41) << "200 bytes a second: the second window of ten seconds of its own";
  client held;
  EXPECT_EQ(held.run(600, 0, true, 1000ms), 0);
}

TEST(transfer_pace, begins_anew_with_each_transfer) {
  client c;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(c.run(15, 0), 0);
    ++c.transfer;
  }
}

TEST(transfer_pace, takes_any_rate_when_none_is_set) {
  client c;
  c.limits.bytes_per_second = 0;
  EXPECT_EQ(c.run(600, 0), 0);
}

TEST(transfer_pace, tells_the_rate_of_the_running_window) {
  client c;
  c.run(5, 300); // the first look only begins
  EXPECT_EQ(c.pace.rate(c.moved), std::numeric_limits<std::uint64_t>::max()) << "a pause of seconds is no rate";
  c.run(1, 300);
  EXPECT_EQ(c.pace.rate(c.moved), 300u);
}

TEST(delivery_pace, asks_for_the_rate_since_the_last_look_and_knows_nothing_at_the_first) {
  delivery_pace pace;
  const pace_limits limits{1000, 10s};
  const steady_time start{1000s};
  EXPECT_TRUE(pace.keeps(start, 1, 0, limits));
  EXPECT_TRUE(pace.keeps(start + 9s, 1, 0, limits)) << "too early to say";
  EXPECT_TRUE(pace.keeps(start + 10s, 1, 10'000, limits));
  EXPECT_FALSE(pace.keeps(start + 20s, 1, 19'999, limits));
  EXPECT_TRUE(pace.keeps(start + 30s, 1, 29'999, limits));
  EXPECT_TRUE(pace.keeps(start + 60s, 2, 29'999, limits)) << "another transfer";
  EXPECT_FALSE(pace.keeps(start + 70s, 2, 29'999, limits));
}

} // namespace cairn::net::transfer_pace_test
