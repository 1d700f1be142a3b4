#include "cluster/raft/leader_pace.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cairn::cluster::raft::leader_pace_test {

// Servers with two disks each: an entry is stored so long after it was appended, and applied so long after a majority
// had stored it. Each second the others report what they have applied. Server 1 leads.
class leader_pace_test : public testing::Test {
protected:
  void run(time_ms span, const std::vector<time_ms>& logs, time_ms between = 20) {
    run(span, logs, std::vector<time_ms>(logs.size(), 5), between);
  }
  void run(time_ms span, const std::vector<time_ms>& logs, const std::vector<time_ms>& states, time_ms between = 20) {
    for (const time_ms until = now + span; now < until; now += 10) {
      if (now % between == 0) appended.push_back(now);
      std::vector<index_t> stored;
      stored.reserve(logs.size());
      for (const auto disk : logs) stored.push_back(done(appended, disk));
      auto sorted = stored;
      std::ranges::sort(sorted);
      while (committed.size() < sorted[(sorted.size() - 1) / 2]) committed.push_back(now);
      std::vector<leader_pace::voter> voters;
      reports.resize(logs.size());
      for (std::size_t i = 1; i < logs.size(); ++i) {
        if (now % 1000 == 100 * i) reports[i] = leader_pace::report{done(committed, states[i]), now};
        voters.push_back({i + 1, stored[i], reports[i]});
      }
      pace.observe(now, 1, {appended.size(), stored[0], committed.size(), done(committed, states[0])}, voters);
      if (const auto to = pace.successor(now); to && !handed_to) {
        handed_to = to;
        handed_at = now;
        pace.transferred(now);
      }
    }
  }
  index_t done(const std::vector<time_ms>& begun, time_ms disk) const {
    return index_t(std::ranges::upper_bound(begun, now, {}, [&](time_ms at) { return at + disk; }) - begun.begin());
  }

  leader_pace pace;
  time_ms now = 1'000'000, handed_at = 0;
  std::vector<time_ms> appended, committed;
  std::vector<std::optional<leader_pace::report>> reports;
  std::optional<server_id> handed_to;
};

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

TEST_F(leader_pace_test, a_leader_whose_state_is_slower_than_those_of_its_followers_transfers_too) {
  run(5000, {5, 5, 5}, {5, 5, 5});
  EXPECT_FALSE(handed_to);
  const auto slow_from = now;
  run(10'000, {5, 5, 5}, {5000, 5, 5});
  ASSERT_TRUE(handed_to);
  EXPECT_GE(handed_at - slow_from, 2500u);
  EXPECT_LE(handed_at - slow_from, 4500u);
}

TEST_F(leader_pace_test, a_slow_state_counts_even_if_writes_are_rare_or_it_does_not_answer) {
  run(20'000, {5, 5, 5}, {4500, 5, 5}, 5000);
  EXPECT_TRUE(handed_to);
  handed_to.reset();
  run(120'000, {5, 5, 5}, {5, 5, 5}, 1000);
  EXPECT_FALSE(handed_to);
  run(10'000, {5, 5, 5}, {1'000'000, 5, 5}, 1000);
  EXPECT_TRUE(handed_to);
}

TEST_F(leader_pace_test, nothing_is_transferred_to_a_voter_whose_log_or_state_is_slow) {
  run(20'000, {5, 5, 5}, {5, 3000, 3000});
  run(20'000, {5, 5, 5}, {3000, 3000, 3000});
  run(20'000, {5, 5, 5}, {600, 400, 400});
  run(20'000, {5, 2000, 5}, {3000, 5, 2000});
  EXPECT_FALSE(handed_to);
  run(20'000, {5, 2000, 5, 5, 5}, {3000, 5, 2000, 5, 5});
  EXPECT_FALSE(handed_to) << "two of five are no majority with it";
  run(30'000, {5, 2000, 5, 5, 5}, {3000, 5, 5, 5, 5});
  ASSERT_TRUE(handed_to);
  EXPECT_GE(*handed_to, 3u);
}

TEST_F(leader_pace_test, a_voter_that_is_down_for_long_makes_no_other_server_slow) {
  run(100'000, {5, 1'000'000, 5}, {5, 1'000'000, 5}, 10); // more moments than are remembered
  EXPECT_FALSE(handed_to);
  run(10'000, {5, 1'000'000, 5, 5, 5}, {2000, 1'000'000, 5, 5, 5}, 10);
  EXPECT_TRUE(handed_to);
}

TEST_F(leader_pace_test, entries_from_before_the_election_are_not_measured) {
  std::vector<leader_pace::voter> voters{{2, 900}, {3, 900}};
  for (time_ms t = 0; t < 10'000; t += 100) pace.observe(now + t, 7, {1000, 900, 900, 800}, voters);
  EXPECT_FALSE(pace.successor(now + 10'000));
}

} // namespace cairn::cluster::raft::leader_pace_test
