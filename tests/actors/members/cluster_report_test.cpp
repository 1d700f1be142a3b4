#include "actors/members/cluster_report.hpp"

#include "actors/members/command_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::actors::cluster_report_test {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using cluster::member_state;

struct cluster_report_test : testing::Test {
  cluster_report_test() {
    l.epoch = 9;
    l.replicas = 3;
    for (node_number n = 0; n < 3; ++n) {
      l.members.push_back({.number = n, .id = {std::uint8_t(n + 1)}, .address = "a", .weight = 1});
      log.servers.servers.push_back({cluster::raft::server_id{n} + 1, cluster::raft::server_role::voter});
    }
    l.partitions.assign(partition_count, {.epoch = 1, .current = {0, 1, 2}, .target = {0, 1, 2}});
    log.leader = 0;
    log.applied = 50;
    reports.leads = true;
    for (node_number n = 0; n < 3; ++n) hear(n, 1000);
    k.layout = &l;
    k.log = &log;
    k.reports = &reports;
    k.now = steady_time{100s};
    k.linked = [this](const cluster::member& m) { return !lost.contains(m.id[0]); };
  }

  void hear(node_number n, std::uint64_t data, std::chrono::seconds at = 99s) {
    node_report r;
    r.data_bytes = data;
    r.applied = 40 + n;
    reports.by_node[n] = {steady_time{at}, steady_time{at}, r};
  }
  cluster_status report() const { return report_cluster(k); }
  result<command_plan> command(admin_verb kind, node_number n, std::uint32_t number = 0) const {
    return plan_command(l, {kind, n, number, "rack", {}});
  }

  cluster::layout l;
  log_status log;
  member_reports reports;
  std::set<std::uint8_t> lost;
  known_cluster k;
};

TEST_F(cluster_report_test, tells_what_is_known_of_healthy_members) {
  const auto s = report();
  EXPECT_EQ(s.leader, 0);
  EXPECT_EQ(s.partitions_under_replicated, 0u);
  EXPECT_EQ(s.bytes_to_move, 0u);
  ASSERT_EQ(s.nodes.size(), 3u);
  EXPECT_TRUE(s.nodes[2].up);
  EXPECT_EQ(s.nodes[2].role, metadata_role::voter);
  EXPECT_EQ(s.nodes[2].partitions_owned, 16384u);
  EXPECT_EQ(s.nodes[0].applied_index, 50u) << "its own";
  EXPECT_EQ(s.nodes[2].applied_index, 42u) << "as it last said";
}

TEST_F(cluster_report_test, one_whose_log_has_failed_says_so_at_once_and_is_down_after_a_while) {
  reports.by_node[2].report.fault = "no_space";
  EXPECT_EQ(report().nodes[2].fault, "no_space");
  EXPECT_TRUE(report().nodes[2].up);
  reports.by_node[2].healthy_at = steady_time{80s};
  EXPECT_FALSE(report().nodes[2].up);
  EXPECT_EQ(report().nodes[0].fault, "");
  log.failure = error{errc::io_error, "its own"};
  EXPECT_EQ(report().nodes[0].fault, "io_error");
}

TEST_F(cluster_report_test, members_without_a_link_or_a_report_are_down_and_their_replicas_missing) {
  lost.insert(2);
  EXPECT_FALSE(report().nodes[1].up);
  EXPECT_EQ(report().partitions_under_replicated, 16384u);
  lost.clear();
  hear(1, 1000, 90s);
  EXPECT_FALSE(report().nodes[1].up) << "silent for 10 s";
  reports = {};
  EXPECT_TRUE(report().nodes[1].up) << "another node than the leader hears no reports";
}

TEST_F(cluster_report_test, a_single_node_lacks_no_replicas) {
  l.members[1].state = l.members[2].state = member_state::removed;
  l.partitions.assign(partition_count, {.epoch = 1, .current = {0}, .target = {0}});
  EXPECT_EQ(report().partitions_under_replicated, 0u);
  EXPECT_EQ(report().nodes.size(), 1u);
}

TEST_F(cluster_report_test, shows_the_voters_that_a_majority_knows_and_what_they_become) {
  using cluster::raft::server_role;
  using numbers = std::vector<node_number>;
  EXPECT_EQ(report().voters, (numbers{0, 1, 2})) << "as the newest servers say while nothing is known to be committed";
  log.committed = log.servers;
  EXPECT_EQ(report().voters_next, numbers{});
  log.servers.servers[2].role = server_role::standby; // begun by the leader, and no more
  EXPECT_EQ(report().voters, (numbers{0, 1, 2}));
  EXPECT_EQ(report().voters_next, (numbers{0, 1}));
  EXPECT_EQ(report().nodes[2].role, metadata_role::voter);
  log.committed = log.servers;
  EXPECT_EQ(report().voters, (numbers{0, 1}));
  EXPECT_EQ(report().voters_next, numbers{});
  EXPECT_EQ(report().nodes[2].role, metadata_role::standby);
  l.members[1].state = member_state::removed; // its vote is to be taken
  EXPECT_EQ(report().voters, (numbers{0, 1}));
  EXPECT_EQ(report().voters_next, numbers{0});
}

TEST_F(cluster_report_test, passes_on_why_members_are_not_taken_out) {
  reports.auto_out = {{}, cluster::out_pause::zone_down, {1}, {1, 2}};
  EXPECT_EQ(report().auto_out, reports.auto_out);
}

TEST_F(cluster_report_test, a_removal_can_be_asked_for_again) {
  EXPECT_FALSE(is_removed(l, {admin_verb::remove, 1, 0, {}, {}}));
  l.members[1].state = member_state::removed;
  EXPECT_TRUE(is_removed(l, {admin_verb::remove, 1, 0, {}, {}}));
  EXPECT_FALSE(is_removed(l, {admin_verb::drain, 1, 0, {}, {}}));
  EXPECT_FALSE(is_removed(l, {admin_verb::remove, 7, 0, {}, {}}));
}

TEST_F(cluster_report_test, estimates_what_has_to_move) {
  l.partitions.assign(partition_count, {.epoch = 1, .current = {0}, .target = {0, 1}});
  hear(0, 16384 * 10);
  hear(1, 0);
  hear(2, 0);
  EXPECT_EQ(report().bytes_to_move, 163840u);
  EXPECT_EQ(report().nodes[1].partitions_owned, 0u);
  EXPECT_EQ(report().nodes[1].partitions_incoming, 16384u);
  hear(1, 63840);
  EXPECT_EQ(report().bytes_to_move, 100000u) << "without what has arrived";
  l.partitions.assign(partition_count, {.epoch = 1, .current = {0, 2}, .target = {0, 1}});
  hear(2, 0, 1s);
  EXPECT_EQ(report().bytes_to_move, 100000u) << "what a dead node said last may be of long ago";
}

TEST_F(cluster_report_test, the_successor_is_the_linked_voter_with_the_most_of_the_log) {
  log.match = {{1, 30}, {2, 50}};
  EXPECT_EQ(successor(log, l, k.linked), 2);
  lost.insert(3);
  EXPECT_EQ(successor(log, l, k.linked), 1);
  log.servers.servers[1].role = cluster::raft::server_role::standby;
  EXPECT_EQ(successor(log, l, k.linked), std::nullopt);
}

TEST_F(cluster_report_test, a_node_that_owns_something_is_not_removed) {
  const auto refused = command(admin_verb::remove, 1);
  EXPECT_EQ(refused.error(), errc::precondition_failed);
  EXPECT_THAT(refused.error().text, HasSubstr("still owns 16384 partitions: drain it first"));
  l.members[1].state = member_state::out;
  EXPECT_THAT(command(admin_verb::remove, 1).error().text, HasSubstr("they are moving to others"));
  l.members[0].weight = 0;
  l.members[2].state = member_state::draining;
  EXPECT_THAT(command(admin_verb::remove, 1).error().text, HasSubstr("`cairn cluster activate` one"));
  l.members[1].state = member_state::active;
  l.partitions.assign(partition_count, {.epoch = 1, .current = {0}, .target = {0}});
  EXPECT_TRUE(command(admin_verb::remove, 1)->change);
  l.members[1].state = member_state::removed;
  for (const auto kind : {admin_verb::remove, admin_verb::drain, admin_verb::weight})
    EXPECT_EQ(command(kind, 1, 5).error(), errc::precondition_failed);
  EXPECT_EQ(command(admin_verb::drain, 3).error(), errc::not_found);
}

TEST_F(cluster_report_test, the_last_node_that_takes_data_is_neither_drained_nor_weightless) {
  EXPECT_TRUE(command(admin_verb::drain, 0)->change);
  l.members[1].weight = 0;
  l.members[2].state = member_state::draining;
  EXPECT_EQ(command(admin_verb::drain, 0).error(), errc::precondition_failed);
  EXPECT_EQ(command(admin_verb::weight, 0, 0).error(), errc::precondition_failed);
}

TEST_F(cluster_report_test, what_is_so_already_changes_nothing) {
  EXPECT_FALSE(command(admin_verb::activate, 0)->change);
  EXPECT_FALSE(command(admin_verb::weight, 0, 1)->change);
  EXPECT_TRUE(command(admin_verb::zone, 0)->change);
}

} // namespace cairn::actors::cluster_report_test
