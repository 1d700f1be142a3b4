#include "cluster/raft/leader_pace.hpp"

#include <gtest/gtest.h>

namespace cairn::cluster::raft {

namespace {

// Servers with disks of different latencies: an entry is stored that long after it was appended. Server 1 leads.
class leader_pace_test : public testing::Test {
protected:
  void run(time_ms span, const std::vector<time_ms>& disks, time_ms between = 20) {
    for (const time_ms until = now + span; now < until; now += 10) {
      if (now % between == 0) appended.push_back(now);
      std::vector<leader_pace::voter> voters;
      for (std::size_t i = 1; i < disks.size(); ++i) voters.push_back({i + 1, stored(disks[i])});
      pace.observe(now, 1, appended.size(), stored(disks[0]), voters);
      if (const auto to = pace.successor(now); to && !handed_to) {
        handed_to = to;
        handed_at = now;
        pace.transferred(now);
      }
    }
  }
  index_t stored(time_ms disk) const {
    index_t n = 0;
    while (n < appended.size() && appended[n] + disk <= now) ++n;
    return n;
  }

  leader_pace pace;
  time_ms now = 1'000'000, handed_at = 0;
  std::vector<time_ms> appended;
  std::optional<server_id> handed_to;
};

} // namespace

TEST_F(leader_pace_test, a_leader_that_is_slower_than_its_followers_transfers_after_some_seconds) {
  run(5000, {5, 5, 5});
  EXPECT_FALSE(handed_to);
  const auto slow_from = now;
  run(10'000, {2000, 5, 5});
  ASSERT_TRUE(handed_to);
  EXPECT_GE(handed_at - slow_from, 2500u);
  EXPECT_LE(handed_at - slow_from, 4000u);
}

TEST_F(leader_pace_test, a_slow_leader_transfers_even_if_writes_are_rare) {
  run(20'000, {2000, 5, 5}, 5000);
  EXPECT_TRUE(handed_to);
}

TEST_F(leader_pace_test, a_slow_leader_transfers_even_if_its_disk_does_not_answer) {
  run(10'000, {1'000'000, 5, 5}, 100'000'000); // nothing is written
  EXPECT_FALSE(handed_to);
  run(5000, {1'000'000, 5, 5});
  EXPECT_TRUE(handed_to);
}

TEST_F(leader_pace_test, a_slow_follower_and_a_short_hiccup_change_nothing) {
  run(20'000, {5, 2000, 5});
  EXPECT_FALSE(handed_to);
  run(1500, {1500, 5, 5});
  run(20'000, {5, 5, 5});
  EXPECT_FALSE(handed_to);
}

TEST_F(leader_pace_test, nothing_is_transferred_when_all_are_slow_or_too_few_are_fast) {
  run(20'000, {2000, 2000, 2000});
  run(20'000, {2000, 2000, 5});
  run(20'000, {600, 300, 300});
  EXPECT_FALSE(handed_to) << "with two slow disks of three each commit waits for one of them";
}

TEST_F(leader_pace_test, two_servers_need_each_other) {
  run(20'000, {2000, 5});
  EXPECT_FALSE(handed_to);
}

TEST_F(leader_pace_test, the_successor_is_not_the_slow_one) {
  run(20'000, {2000, 2000, 5, 5, 5});
  ASSERT_TRUE(handed_to);
  EXPECT_GE(*handed_to, 3u);
}

TEST_F(leader_pace_test, leadership_is_not_transferred_again_at_once) {
  run(10'000, {2000, 5, 5});
  ASSERT_TRUE(handed_to);
  const auto first = handed_at;
  handed_to.reset();
  run(60'000, {2000, 5, 5}); // it was elected again, or nobody took over
  ASSERT_TRUE(handed_to);
  EXPECT_GE(handed_at - first, 30'000u);
}

TEST_F(leader_pace_test, entries_from_before_the_election_are_not_measured) {
  std::vector<leader_pace::voter> voters{{2, 900}, {3, 900}};
  for (time_ms t = 0; t < 10'000; t += 100) pace.observe(now + t, 7, 1000, 900, voters);
  EXPECT_FALSE(pace.successor(now + 10'000));
}

} // namespace cairn::cluster::raft
