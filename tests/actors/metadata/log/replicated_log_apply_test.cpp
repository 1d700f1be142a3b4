// The state's open transaction: when it is committed, and what a crash makes of it.
#include "tests/actors/metadata/log/log_fixture.hpp"

namespace cairn::actors::replicated_log_apply_test {

class open_transaction_test : public testing::Test {
protected:
  log_cluster cluster{3};
};

TEST_F(open_transaction_test, a_write_is_answered_before_the_state_is_committed_and_readers_get_it_when_they_ask) {
  cluster.begin(3);
  auto& l = *cluster.leader();
  log_client client{cluster, l, 1};
  const auto commits = l.state->commits;
  for (int i = 0; i < 10; ++i) {
    ASSERT_FALSE(cluster.submit(l, {client.put(std::to_string(i))})[0].refused);
    ASSERT_TRUE(cluster.barrier(l, 30s, replicated_log::needs::applied));
  }
  EXPECT_LE(l.state->commits, commits + 5) << "one for many writes";
  ASSERT_FALSE(cluster.submit(l, {client.put("last")})[0].refused);
  EXPECT_FALSE(l.shows("last"));
  EXPECT_LT(l.log->visible(), l.log->applied());
  ASSERT_TRUE(cluster.barrier(l));
  EXPECT_TRUE(l.shows("last")) << "the barrier waited for a commit";
  ASSERT_FALSE(cluster.submit(l, {client.put("late")})[0].refused);
  cluster.loop.run(60ms);
  EXPECT_TRUE(l.shows("late")) << "nobody asked, but it was time";
}

TEST_F(open_transaction_test, what_members_and_operators_change_is_visible_on_the_leader_when_it_is_answered) {
  cluster.begin(3);
  auto& l = *cluster.leader();
  for (int i = 0; i < 3; ++i) {
    const auto name = "bucket-" + std::to_string(i);
    ASSERT_FALSE(cluster.submit(l, {meta::create_bucket{.name = name, .now = 1}})[0].refused);
    EXPECT_TRUE(l.store->read().value()->bucket(name));
  }
}

TEST_F(open_transaction_test, what_was_answered_is_applied_again_when_all_crash_before_they_commit) {
  cluster.begin(3);
  auto& l = *cluster.leader();
  log_client client{cluster, l, 1};
  ASSERT_FALSE(cluster.submit(l, {client.put("first")})[0].refused);
  cluster.expect_equal_states();
  const auto before = l.log->visible();
  for (int i = 0; i < 3; ++i) ASSERT_FALSE(cluster.submit(l, {client.put(std::to_string(i))})[0].refused);
  EXPECT_EQ(l.log->visible(), before) << "nothing is committed yet";
  for (auto& n : cluster.nodes) cluster.crash(*n);
  for (auto& n : cluster.nodes) ASSERT_TRUE(cluster.start(*n));
  EXPECT_EQ(l.log->visible(), before);
  ASSERT_TRUE(cluster.barrier(l));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(l.shows(std::to_string(i))) << i;
  cluster.expect_equal_states();
}

TEST_F(open_transaction_test, the_log_keeps_what_the_state_has_not_committed) {
  cluster.compact_after_bytes = 16 << 10;
  cluster.entries_kept = 0;
  cluster.begin(1);
  auto& l = *cluster.leader();
  log_client client{cluster, l, 1};
  for (int i = 0; i < 40; ++i)
    ASSERT_FALSE(cluster.submit(l, {client.put(std::to_string(i), std::string(900, 'x'))})[0].refused);
  const auto snapshot = l.disk->log()->load(0).value().snapshot;
  ASSERT_TRUE(snapshot) << "it was compacted";
  EXPECT_LE(snapshot->index, l.log->visible());
  cluster.crash(l);
  ASSERT_TRUE(cluster.start(l));
  ASSERT_TRUE(cluster.barrier(l));
  EXPECT_TRUE(l.shows("39"));
}

} // namespace cairn::actors::replicated_log_apply_test
