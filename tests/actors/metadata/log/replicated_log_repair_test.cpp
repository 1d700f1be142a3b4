// Members whose copy of the metadata rots.
#include "storage/metadata/rows/tables.hpp"
#include "tests/actors/metadata/log/log_fixture.hpp"

namespace cairn::actors::replicated_log_repair_test {

class rotten_state : public testing::Test {
protected:
  void SetUp() override {
    cluster.begin(3);
    put("before");
    cluster.expect_equal_states();
    leader = cluster.leader();
    for (auto& n : cluster.nodes)
      if (n.get() != leader) (follower ? other : follower) = n.get();
  }
  void put(const std::string& name) {
    log_client client{cluster, *cluster.leader(), std::uint8_t(++clients)};
    for (int i = 0; i < 20; ++i)
      ASSERT_FALSE(cluster.submit(*cluster.leader(), {client.put(name + std::to_string(i))})[0].refused)
          << cluster.last_refusal;
  }
  // All that lie in the table of the live objects, or each so many.
  static void rot(log_cluster::node& n, std::size_t every = 1) {
    n.state->rot(meta::id_of(meta::table::current), every);
  }
  // A read meets it, and each second the log looks whether one did.
  void meet(log_cluster::node& n) {
    EXPECT_FALSE(n.store->read().value()->object("files", "before0"));
    EXPECT_NE(n.state->damage->first(), "");
    if (n.log) n.log->tick();
  }
  bool whole(log_cluster::node& n) {
    return n.log && !n.log->failure() && n.state->damage->first().empty() &&
           n.store->read().value()->object("files", "before0").has_value();
  }

  log_cluster cluster{3};
  log_cluster::node *leader = nullptr, *follower = nullptr, *other = nullptr;
  int clients = 0;
};

TEST_F(rotten_state, of_a_follower_is_replaced_by_another_members_and_the_follower_continues) {
  rot(*follower);
  meet(*follower);
  ASSERT_TRUE(follower->log->failure());
  EXPECT_EQ(follower->log->failure()->code, errc::corrupt);
  put("meanwhile");
  ASSERT_TRUE(cluster.loop.until([&] { return whole(*follower); }));
  cluster.expect_equal_states();
  put("after");
  cluster.expect_equal_states();
  EXPECT_EQ(follower->replaced, 1u);
}

TEST_F(rotten_state, of_a_leader_makes_it_hand_over_and_is_replaced) {
  rot(*leader);
  meet(*leader);
  ASSERT_TRUE(leader->log->failure());
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() != nullptr && cluster.leader() != leader; }));
  put("meanwhile");
  ASSERT_TRUE(cluster.loop.until([&] { return whole(*leader); }));
  cluster.expect_equal_states();
}

TEST_F(rotten_state, that_applying_meets_is_replaced_without_a_reader) {
  rot(*follower);
  log_client client{cluster, *leader, 77};
  cluster.submit(*leader, {client.put("before0", "another value")});
  ASSERT_TRUE(cluster.loop.until([&] { return follower->log->failure().has_value(); }));
  ASSERT_TRUE(cluster.loop.until([&] { return whole(*follower); }));
  cluster.expect_equal_states();
}

TEST_F(rotten_state, of_a_node_that_the_others_need_is_served_as_far_as_it_is_good_until_they_are_back) {
  cluster.crash(*other);
  cluster.crash(*follower);
  cluster.loop.run(3s);
  rot(*leader, 3);
  meet(*leader);
  EXPECT_FALSE(leader->log->failure()) << "nobody could take over";
  ASSERT_TRUE(cluster.start(*other));
  ASSERT_TRUE(cluster.start(*follower));
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() && cluster.converged(); }));
  cluster.loop.run(2s);
  leader->log->tick();
  ASSERT_TRUE(cluster.loop.until([&] { return whole(*leader); }));
  cluster.expect_equal_states();
}

// A cluster whose leader is the only voter, or one of two.
class rotten_state_of_few : public testing::TestWithParam<bool> {
protected:
  void SetUp() override {
    cluster.found();
    if (GetParam()) return cluster.grow_to(2);
    ASSERT_TRUE(cluster.start(cluster.at(1)));
    ASSERT_TRUE(cluster.loop.until(
        [&] { return cluster.at(0).log->change(1, raft::change_kind::add_standby) == raft::accepted::yes; }));
  }
  log_cluster cluster{2};
};

INSTANTIATE_TEST_SUITE_P(voters, rotten_state_of_few, testing::Bool());

// A simulated cluster's sole voter could not read the owners of partitions, so it promoted nobody, ever.
TEST_P(rotten_state_of_few, is_replaced_by_that_of_the_only_other_member) {
  auto& leader = *cluster.leader();
  ASSERT_FALSE(cluster.submit(leader, {meta::create_bucket{.name = "files", .now = 1}})[0].refused);
  log_client client{cluster, leader, 1};
  ASSERT_FALSE(cluster.submit(leader, {client.put("before")})[0].refused);
  cluster.expect_equal_states();
  leader.state->rot(meta::id_of(meta::table::current), 1);
  EXPECT_FALSE(leader.store->read().value()->object("files", "before"));
  const auto tick = [&] {
    cluster.loop.run(1s);
    for (auto& n : cluster.nodes) n->log->tick();
  };
  for (int i = 0; i < 20; ++i) tick();
  EXPECT_FALSE(leader.log->failure()) << "nobody else could lead";
  for (int i = 0; i < 40 && !leader.state->damage->first().empty(); ++i) tick();
  ASSERT_TRUE(leader.state->damage->first().empty());
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() != nullptr; }));
  EXPECT_TRUE(leader.store->read().value()->object("files", "before"));
  log_client later{cluster, leader, 2};
  ASSERT_FALSE(cluster.submit(leader, {later.put("after")})[0].refused);
  cluster.expect_equal_states();
}

TEST_P(rotten_state_of_few, that_no_member_can_replace_is_served_where_it_is_undamaged) {
  auto& leader = *cluster.leader();
  auto& other = cluster.at(leader.number == 0 ? 1 : 0);
  ASSERT_FALSE(cluster.submit(leader, {meta::create_bucket{.name = "files", .now = 1}})[0].refused);
  log_client client{cluster, leader, 1};
  ASSERT_FALSE(cluster.submit(leader, {client.put("before")})[0].refused);
  cluster.expect_equal_states();
  for (auto* n : {&leader, &other}) n->state->rot(meta::id_of(meta::table::current), 1);
  EXPECT_FALSE(leader.store->read().value()->object("files", "before"));
  std::size_t served = 0, left = 0;
  for (int i = 0; i < 150; ++i) {
    cluster.loop.run(1s);
    for (auto& n : cluster.nodes) n->log->tick();
    served += cluster.leader() != nullptr;
    left += leader.log->failure().has_value();
  }
  EXPECT_GT(left, 10u) << "it asked the other one";
  EXPECT_GT(served, 50u) << "which has no good state either";
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() != nullptr; }));
  EXPECT_FALSE(cluster.submit(*cluster.leader(), {meta::create_bucket{.name = "more", .now = 2}})[0].refused);
}

TEST_F(rotten_state, is_not_given_away_and_the_repair_asks_the_next_member) {
  // Both of them at once: the follower asks the leader first, which can't write its state for others.
  rot(*leader);
  rot(*follower);
  meet(*follower);
  ASSERT_TRUE(follower->log->failure());
  ASSERT_TRUE(cluster.loop.until([&] { return whole(*follower); }));
  leader->log->tick();
  ASSERT_TRUE(cluster.loop.until([&] { return whole(*leader); }));
  cluster.expect_equal_states();
}

TEST_F(rotten_state, that_a_crash_met_in_the_middle_of_its_repair_is_repaired_after_the_next_start) {
  for (int step = 1; step <= 30; ++step) {
    rot(*follower);
    if (follower->log) meet(*follower);
    for (int i = 0; i < step * 12; ++i) cluster.loop.step();
    cluster.crash(*follower);
    const auto started = cluster.start(*follower);
    ASSERT_TRUE(started) << step << ": " << started.error().text;
    if (follower->state->damage->first().empty()) (void)follower->store->read().value()->object("files", "before0");
    follower->log->tick();
    const bool repaired = cluster.loop.until([&] {
      if (follower->log) follower->log->tick();
      return whole(*follower);
    });
    ASSERT_TRUE(repaired) << step;
    cluster.expect_equal_states();
  }
}

TEST_F(rotten_state, entries_of_the_log_that_rot_take_the_node_out_for_good) {
  follower->disk->rot();
  EXPECT_EQ(follower->disk->log()->read(1, 1).error(), errc::corrupt);
  follower->log->tick();
  ASSERT_TRUE(follower->log->failure());
  put("meanwhile");
  cluster.loop.run(10s);
  EXPECT_TRUE(follower->log->failure());
  EXPECT_FALSE(cluster.start(*follower)) << "what it had acknowledged is not known";
  EXPECT_TRUE(cluster.leader());
}

// This member was behind, so the leader was not dispensable, and stayed behind because of the damage.
TEST_F(rotten_state, entries_of_the_log_that_rot_and_that_another_member_needs_come_from_the_next_leader) {
  cluster.crash(*other);
  for (int i = 0; i < 60; ++i) put("meanwhile" + std::to_string(i));
  cluster.crash(*leader); // entries that were applied are read from the disk after a start
  ASSERT_TRUE(cluster.start(*leader));
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() != nullptr; }));
  if (auto* const leads = cluster.leader(); leads != leader) {
    ASSERT_EQ(leads->log->transfer(leader->number), raft::accepted::yes);
    ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() == leader; }));
  }
  leader->disk->rot();
  ASSERT_TRUE(cluster.start(*other));
  cluster.loop.run(5s);
  EXPECT_LT(other->applied(), leader->applied());
  leader->log->tick();
  ASSERT_TRUE(leader->log->failure());
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() && cluster.leader() != leader; }));
  ASSERT_TRUE(cluster.loop.until([&] { return other->applied() == follower->applied(); }));
  put("after");
}

} // namespace cairn::actors::replicated_log_repair_test
