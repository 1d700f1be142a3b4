#include "net/limits/token_bucket.hpp"

#include <gtest/gtest.h>

namespace cairn::net::token_bucket_test {

using namespace std::chrono_literals;

const token_rate ten{10, 20};

// How many of `tries` succeed at once.
int taken(token_bucket& bucket, const token_rate& rate, steady_time now, int tries = 1000) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += bucket.take(rate, now) ? 1 : 0;
  return count;
}

struct token_bucket_ : testing::Test {
  token_bucket bucket;
  steady_time now{1000s};
};

TEST_F(token_bucket_, is_full_at_first_and_gives_its_burst_once) {
  EXPECT_TRUE(bucket.full(ten, now));
  EXPECT_EQ(taken(bucket, ten, now), 20);
  EXPECT_FALSE(bucket.full(ten, now));
  EXPECT_EQ(taken(bucket, ten, now), 0);
}

TEST_F(token_bucket_, gives_its_rate_and_refusals_cost_nothing) {
  taken(bucket, ten, now);
  int count = 0;
  for (int tick = 0; tick < 1000; ++tick) count += taken(bucket, ten, now += 10ms, 5);
  EXPECT_NEAR(count, 100, 1) << "ten seconds, five times as many requests as it has tokens";
}

TEST_F(token_bucket_, has_no_more_than_its_burst_after_a_long_time) {
  taken(bucket, ten, now);
  EXPECT_EQ(taken(bucket, ten, now += 1h), 20);
  EXPECT_EQ(taken(bucket, ten, now += 24h * 10000), 20);
}

TEST_F(token_bucket_, tells_when_there_are_tokens_again) {
  EXPECT_EQ(bucket.time_until(1, ten, now), 0ns);
  taken(bucket, ten, now);
  EXPECT_EQ(bucket.time_until(1, ten, now), 100ms);
  EXPECT_FALSE(bucket.take(ten, now + 99ms));
  EXPECT_TRUE(bucket.take(ten, now + 100ms));
}

TEST_F(token_bucket_, owes_what_was_spent_beyond_it) {
  bucket.spend(70, ten, now);
  EXPECT_EQ(bucket.time_until(0, ten, now), 5s);
  EXPECT_EQ(bucket.time_until(0, ten, now + 3s), 2s);
  EXPECT_FALSE(bucket.take(ten, now + 5s));
  EXPECT_FALSE(bucket.full(ten, now + 6s));
  EXPECT_TRUE(bucket.full(ten, now + 7s));
}

TEST_F(token_bucket_, gives_and_takes_nothing_when_the_clock_goes_back) {
  taken(bucket, ten, now);
  EXPECT_EQ(taken(bucket, ten, now - 500s), 0);
  EXPECT_EQ(taken(bucket, ten, now - 499s), 10) << "it goes on at the new time, without waiting for the old one";
  EXPECT_EQ(taken(bucket, ten, now + 1h), 20) << "no more than the burst";
}

TEST_F(token_bucket_, keeps_what_was_spent_when_its_rate_changes) {
  taken(bucket, ten, now);
  const token_rate hundred{100, 100}, one{1, 1};
  EXPECT_EQ(taken(bucket, hundred, now), 80);
  EXPECT_EQ(bucket.time_until(1, one, now), 100s) << "100 are spent";
}

} // namespace cairn::net::token_bucket_test
