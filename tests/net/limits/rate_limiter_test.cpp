#include "net/limits/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace cairn::net::rate_limiter_test {

using namespace std::chrono_literals;
using config::rate_of;

config::rate_limit of(rate_of kind, std::string name, std::uint32_t requests, std::uint64_t bytes = 0,
                      std::uint32_t transfers = 0) {
  return {kind, std::move(name), requests, {bytes}, transfers};
}

struct rate_limiter_ : testing::Test {
  // Whether a request that ends at once is admitted.
  bool asks(rate_of kind, std::string_view name) {
    rate_ticket ticket;
    return !limiter.admit(kind, name, 0, now, ticket);
  }
  int admitted(rate_of kind, std::string_view name, int tries = 100) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += asks(kind, name) ? 1 : 0;
    return count;
  }

  std::shared_ptr<buffer_pool> memory = std::make_shared<buffer_pool>(256 << 20);
  rate_limiter limiter{memory};
  steady_time now{1000s};
};

TEST_F(rate_limiter_, limits_nothing_without_entries) {
  EXPECT_EQ(admitted(rate_of::key, "k", 10'000), 10'000);
  limiter.apply({of(rate_of::bucket, "*", 1)});
  EXPECT_EQ(admitted(rate_of::key, "k", 10'000), 10'000);
  EXPECT_EQ(memory->in_use_bytes(), 0u);
}

TEST_F(rate_limiter_, gives_each_party_its_own_limit_and_names_come_before_the_rest) {
  limiter.apply({of(rate_of::key, "*", 5), of(rate_of::key, "backup", 50), of(rate_of::key, "free", 0)});
  EXPECT_EQ(admitted(rate_of::key, "a"), 5);
  EXPECT_EQ(admitted(rate_of::key, "b"), 5) << "the first has used up nothing of it";
  EXPECT_EQ(admitted(rate_of::key, "backup"), 50);
  EXPECT_EQ(admitted(rate_of::key, "free"), 100);
  now += 1s;
  EXPECT_EQ(admitted(rate_of::key, "a"), 5);
}

TEST_F(rate_limiter_, tells_when_to_try_again) {
  limiter.apply({of(rate_of::key, "k", 4)});
  EXPECT_EQ(admitted(rate_of::key, "k"), 4);
  rate_ticket ticket;
  EXPECT_EQ(limiter.admit(rate_of::key, "k", 0, now, ticket), 250ms);
}

TEST_F(rate_limiter_, counts_addresses_of_version_4_one_by_one_and_of_version_6_by_their_64) {
  limiter.apply({of(rate_of::address, "*", 3)});
  EXPECT_EQ(admitted(rate_of::address, "192.0.2.1"), 3);
  EXPECT_EQ(admitted(rate_of::address, "192.0.2.2"), 3);
  EXPECT_EQ(admitted(rate_of::address, "::ffff:192.0.2.2"), 0) << "the same client";
  EXPECT_EQ(admitted(rate_of::address, "2001:db8:1:2::1"), 3);
  EXPECT_EQ(admitted(rate_of::address, "2001:db8:1:2:ffff::9"), 0);
  EXPECT_EQ(admitted(rate_of::address, "2001:db8:1:3::1"), 3);
  EXPECT_EQ(admitted(rate_of::address, "::1"), 3);
  EXPECT_EQ(admitted(rate_of::address, ""), 100) << "the connection has ended";
}

TEST_F(rate_limiter_, takes_the_longest_prefix_alone) {
  limiter.apply({of(rate_of::address, "10.0.0.0/8", 2), of(rate_of::address, "10.1.0.0/16", 7),
                 of(rate_of::address, "10.1.2.3", 0), of(rate_of::address, "2001:db8::/32", 4)});
  EXPECT_EQ(admitted(rate_of::address, "10.9.0.1"), 2);
  EXPECT_EQ(admitted(rate_of::address, "10.9.0.2"), 2) << "each address for itself";
  EXPECT_EQ(admitted(rate_of::address, "10.1.0.1"), 7);
  EXPECT_EQ(admitted(rate_of::address, "10.1.2.3"), 100);
  EXPECT_EQ(admitted(rate_of::address, "11.0.0.1"), 100);
  EXPECT_EQ(admitted(rate_of::address, "2001:db8::1"), 4);
}

TEST_F(rate_limiter_, bounds_the_requests_at_once) {
  limiter.apply({of(rate_of::bucket, "b", 0, 0, 2)});
  std::deque<rate_ticket> running(3);
  EXPECT_FALSE(limiter.admit(rate_of::bucket, "b", 0, now, running[0]));
  EXPECT_FALSE(limiter.admit(rate_of::bucket, "b", 0, now, running[1]));
  EXPECT_EQ(limiter.admit(rate_of::bucket, "b", 0, now, running[2]), 1s);
  running[0].end();
  running[0].end(); // a second time: nothing
  EXPECT_FALSE(limiter.admit(rate_of::bucket, "b", 0, now, running[2]));
  EXPECT_FALSE(asks(rate_of::bucket, "b"));
  running.clear();
  EXPECT_EQ(admitted(rate_of::bucket, "b"), 100);
}

TEST_F(rate_limiter_, paces_the_bytes_of_a_party_over_all_its_requests) {
  const std::uint64_t rate = 1 << 20;
  limiter.apply({of(rate_of::key, "k", 0, rate), of(rate_of::bucket, "b", 0, 4 * rate)});
  std::deque<rate_ticket> running(2);
  for (auto& ticket : running) {
    ASSERT_FALSE(limiter.admit(rate_of::key, "k", 0, now, ticket));
    ASSERT_FALSE(limiter.admit(rate_of::bucket, "b", 0, now, ticket));
    EXPECT_TRUE(ticket.paces());
    EXPECT_EQ(ticket.piece_bytes(), rate / 16) << "of the lowest rate";
  }
  std::uint64_t sent = 0;
  steady_time due[2]{now, now};
  for (const auto end = now + 10s; now < end; now += 1ms) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (now < due[i]) continue;
      running[i].count(running[i].piece_bytes(), now);
      sent += running[i].piece_bytes();
      due[i] = now + running[i].pause(now);
    }
  }
  EXPECT_NEAR(double(sent), 10.25 * double(rate), 0.2 * double(rate)) << "a quarter of a second is the burst";
}

TEST_F(rate_limiter_, counts_what_has_come_with_the_head) {
  limiter.apply({of(rate_of::key, "k", 0, 1000)});
  rate_ticket ticket;
  ASSERT_FALSE(limiter.admit(rate_of::key, "k", 4250, now, ticket));
  EXPECT_EQ(ticket.pause(now), 4s);
  rate_ticket next;
  ASSERT_FALSE(limiter.admit(rate_of::key, "k", 0, now, next));
  EXPECT_EQ(next.pause(now), 4s) << "a new request waits like the one before";
}

TEST_F(rate_limiter_, changes_the_limits_of_running_requests) {
  limiter.apply({of(rate_of::key, "*", 5, 1000, 1)});
  rate_ticket ticket;
  ASSERT_FALSE(limiter.admit(rate_of::key, "k", 100'000, now, ticket));
  EXPECT_GT(ticket.pause(now), 10s);
  EXPECT_FALSE(asks(rate_of::key, "k"));
  limiter.apply({of(rate_of::key, "*", 50)});
  EXPECT_EQ(ticket.pause(now), 0s);
  EXPECT_FALSE(ticket.paces());
  EXPECT_EQ(admitted(rate_of::key, "k"), 49) << "what was used is not forgotten";
  limiter.apply({});
  EXPECT_EQ(admitted(rate_of::key, "k"), 100);
}

TEST_F(rate_limiter_, drops_accounts_that_equal_new_ones_and_no_others) {
  limiter.apply({of(rate_of::address, "*", 10)});
  rate_ticket running;
  ASSERT_FALSE(limiter.admit(rate_of::address, "10.0.0.1", 0, now, running));
  EXPECT_EQ(admitted(rate_of::address, "10.0.0.2"), 10);
  const auto crowd = [this](unsigned first, unsigned count) {
    for (unsigned i = first; i < first + count; ++i)
      asks(rate_of::address,
           "10." + std::to_string(1 + i / 65536) + '.' + std::to_string(i / 256 % 256) + '.' + std::to_string(i % 256));
  };
  crowd(0, 60'000);
  EXPECT_EQ(admitted(rate_of::address, "10.0.0.2"), 0) << "a crowd gives nobody a fresh account";
  EXPECT_EQ(admitted(rate_of::address, "10.0.0.1"), 9);
  const auto at_most = memory->in_use_bytes();
  EXPECT_GE(at_most, 60'000 * rate_limiter::account_bytes);
  for (unsigned second = 1; second < 6; ++second) {
    now += 2s;
    crowd(100'000 * second, 60'000); // those before are unused now
  }
  EXPECT_LT(memory->in_use_bytes(), 2 * at_most);
}

TEST_F(rate_limiter_, lets_parties_share_an_account_when_there_are_too_many) {
  limiter.apply({of(rate_of::bucket, "*", 10), of(rate_of::bucket, "named", 20)});
  for (std::size_t i = 0; i < rate_limiter::parties_max; ++i) asks(rate_of::bucket, "crowd-" + std::to_string(i));
  EXPECT_EQ(memory->in_use_bytes(), rate_limiter::parties_max * rate_limiter::account_bytes);
  EXPECT_EQ(admitted(rate_of::bucket, "new-1", 6) + admitted(rate_of::bucket, "new-2", 6), 10) << "together";
  EXPECT_EQ(admitted(rate_of::bucket, "named"), 20) << "nobody else is under its entry";
  EXPECT_EQ(admitted(rate_of::bucket, "crowd-7"), 9) << "an account stays";
  now += 2s;
  EXPECT_EQ(admitted(rate_of::bucket, "new-1"), 10);
  EXPECT_EQ(admitted(rate_of::bucket, "new-2"), 10) << "there is room again";
  EXPECT_LT(memory->in_use_bytes(), rate_limiter::parties_max * rate_limiter::account_bytes / 16);
}

TEST_F(rate_limiter_, shares_an_account_when_memory_has_no_room) {
  auto all = memory->try_charge(memory->limit_bytes(), nullptr);
  ASSERT_TRUE(all);
  limiter.apply({of(rate_of::key, "*", 10)});
  EXPECT_EQ(admitted(rate_of::key, "a", 6) + admitted(rate_of::key, "b", 6), 10);
  all.reset();
  EXPECT_EQ(admitted(rate_of::key, "a"), 10);
}

TEST_F(rate_limiter_, makes_room_of_unused_accounts_when_memory_has_none) {
  limiter.apply({of(rate_of::key, "*", 10)});
  for (int i = 0; i < 256; ++i) asks(rate_of::key, "k" + std::to_string(i)); // as many as are charged at once
  const auto all = memory->try_charge(memory->limit_bytes() - memory->in_use_bytes(), nullptr);
  ASSERT_TRUE(all);
  EXPECT_EQ(admitted(rate_of::key, "a", 6) + admitted(rate_of::key, "b", 6), 10);
  now += 2s;
  EXPECT_EQ(admitted(rate_of::key, "a"), 10);
  EXPECT_EQ(admitted(rate_of::key, "b"), 10);
}

TEST_F(rate_limiter_, bounds_the_bytes_of_a_name) {
  limiter.apply({of(rate_of::bucket, "*", 10)});
  const std::string long_name(10'000, 'x');
  EXPECT_EQ(admitted(rate_of::bucket, long_name + "1"), 10);
  EXPECT_EQ(admitted(rate_of::bucket, long_name + "2"), 0) << "one account for both";
}

} // namespace cairn::net::rate_limiter_test
