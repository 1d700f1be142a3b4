// Members whose copy of the metadata rots.
#include "storage/metadata/rows/tables.hpp"
#include "tests/actors/metadata/log/log_fixture.hpp"

namespace cairn::actors {

namespace {

class rotten_state : public testing::Test {
protected:
  void SetUp() override {
    cluster.found();
    cluster.grow_to(3);
    ASSERT_FALSE(cluster.submit(cluster.at(0), {meta::create_bucket{.name = "files", .now = 1}})[0].refused);
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

} // namespace

TEST_F(rotten_state, of_a_follower_is_replaced_by_anothers_and_the_follower_goes_on) {
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
  follower->disk->rot(1);
  (void)raft::raft_log{*follower->disk}.load(0);
  follower->log->tick();
  ASSERT_TRUE(follower->log->failure());
  put("meanwhile");
  cluster.loop.run(10s);
  EXPECT_TRUE(follower->log->failure());
  EXPECT_FALSE(cluster.start(*follower)) << "what it had acknowledged is not known";
  EXPECT_TRUE(cluster.leader());
}

} // namespace cairn::actors
