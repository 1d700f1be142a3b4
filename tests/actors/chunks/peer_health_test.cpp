#include "actors/chunks/peer_health.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::peer_health_test {

TEST(peer_health, knows_no_percentile_of_a_few_reads) {
  peer_health h;
  for (int i = 0; i < 15; ++i) h.answered(100);
  EXPECT_EQ(h.p95_us(), 0u);
  h.answered(100);
  EXPECT_GE(h.p95_us(), 100u);
  EXPECT_LE(h.p95_us(), 125u);
}

TEST(peer_health, gives_the_time_that_nineteen_of_twenty_reads_stay_below) {
  peer_health h;
  for (int i = 0; i < 1000; ++i) h.answered(i % 25 == 0 ? 50'000 : 1000); // 4 % are slow
  EXPECT_GE(h.p95_us(), 1000u);
  EXPECT_LE(h.p95_us(), 1250u);
  for (int i = 0; i < 1000; ++i) h.answered(i % 10 == 0 ? 50'000 : 1000);
  EXPECT_GE(h.p95_us(), 50'000u);
  EXPECT_LE(h.p95_us(), 62'500u);
}

TEST(peer_health, forgets_what_was_long_ago) {
  peer_health h;
  for (int i = 0; i < 5000; ++i) h.answered(80'000);
  for (int i = 0; i < 3000; ++i) h.answered(200);
  EXPECT_LE(h.p95_us(), 250u);
  EXPECT_LE(h.typical_us(), 210u);
}

TEST(peer_health, takes_any_time_from_none_to_days) {
  peer_health h;
  for (int i = 0; i < 100; ++i) h.answered(0);
  EXPECT_LE(h.p95_us(), 80u);
  for (int i = 0; i < 1000; ++i) h.answered(std::uint64_t{1} << 40);
  EXPECT_GT(h.p95_us(), 60'000'000u);
}

TEST(peer_health, suspects_after_three_overdue_reads_until_one_is_answered) {
  peer_health h;
  h.overdue();
  h.overdue();
  h.answered(10);
  h.overdue();
  h.overdue();
  EXPECT_FALSE(h.suspect());
  h.overdue();
  EXPECT_TRUE(h.suspect());
  h.alive();
  EXPECT_FALSE(h.suspect());
}

} // namespace cairn::actors::peer_health_test
