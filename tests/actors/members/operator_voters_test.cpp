#include "actors/members/command_plan.hpp"

#include "cluster/raft/log_servers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::actors::operator_voters_test {

using cluster::raft::change_kind;
using cluster::raft::server_role;
using ::testing::HasSubstr;

using numbers = std::vector<node_number>;

struct voters_test : testing::Test {
  // Node n votes when it is in `voting`; all are members and up.
  void cluster_of(node_number nodes, const numbers& voting) {
    l = {};
    v.servers.servers.clear();
    for (node_number n = 0; n < nodes; ++n) {
      l.members.push_back({.number = n, .id = {std::uint8_t(n + 1)}, .address = "a", .weight = 1});
      const bool votes = std::ranges::find(voting, n) != voting.end();
      v.servers.servers.push_back({cluster::server_of(n), votes ? server_role::voter : server_role::standby});
    }
    v.layout = &l;
    v.up.assign(nodes, true);
  }
  std::string refusal(const numbers& wanted) const {
    const auto may = may_vote(v, wanted);
    return may ? "" : may.error().text;
  }
  // Carries out all changes; the fewest live voters beyond a majority on the way.
  numbers carry_out(const numbers& wanted) {
    numbers changed;
    while (const auto change = next_voter_change(v, wanted)) {
      for (auto& s : v.servers.servers)
        if (s.id == cluster::server_of(change->node))
          s.role = change->kind == change_kind::promote ? server_role::voter : server_role::standby;
      std::size_t up = 0;
      for (const auto& s : v.servers.servers) up += s.role == server_role::voter && v.up[cluster::node_of(s.id)];
      EXPECT_GT(up * 2, v.servers.voters()) << "after node " << change->node;
      changed.push_back(change->node);
      if (changed.size() > 20) break;
    }
    for (const auto n : wanted) EXPECT_TRUE(v.servers.is_voter(cluster::server_of(n))) << n;
    EXPECT_EQ(v.servers.voters(), wanted.size());
    return changed;
  }

  cluster::layout l;
  voters_view v;
};

TEST_F(voters_test, are_as_many_as_the_cluster_has) {
  cluster_of(4, {0, 1, 2});
  EXPECT_EQ(refusal({0, 1, 3}), "");
  EXPECT_THAT(refusal({0, 1}), HasSubstr("a cluster of 4 nodes has 3 voters: name 3 nodes, not 2"));
  EXPECT_THAT(refusal({0, 1, 2, 3}), HasSubstr("name 3 nodes, not 4"));
  cluster_of(6, {0, 1, 2, 3, 4});
  EXPECT_EQ(refusal({1, 2, 3, 4, 5}), "");
  EXPECT_THAT(refusal({1, 2, 3}), HasSubstr("has 5 voters"));
}

TEST_F(voters_test, are_members_that_could_vote) {
  cluster_of(4, {0, 1, 2});
  EXPECT_THAT(refusal({0, 1, 9}), HasSubstr("no node 9"));
  v.up[3] = false;
  EXPECT_THAT(refusal({0, 1, 3}), HasSubstr("node 3 is down"));
  v.up[3] = true;
  v.servers.servers.pop_back();
  EXPECT_THAT(refusal({0, 1, 3}), HasSubstr("not got the metadata's log"));
  cluster_of(4, {0, 1, 2});
  l.members[0].state = cluster::member_state::removed;
  EXPECT_THAT(refusal({0, 1, 3}), HasSubstr("node 0 was removed"));
}

TEST_F(voters_test, keep_a_majority) {
  cluster_of(6, {0, 1, 2, 3, 4});
  v.up[0] = v.up[1] = v.up[2] = false;
  EXPECT_THAT(refusal({0, 1, 2, 4, 5}), HasSubstr("only 2 of these 5 are up"));
  v.up[2] = true;
  EXPECT_EQ(refusal({0, 1, 2, 4, 5}), "");
}

TEST_F(voters_test, are_replaced_one_by_one_the_dead_first) {
  cluster_of(4, {0, 1, 2});
  v.up[1] = false;
  EXPECT_EQ(carry_out({0, 2, 3}), (numbers{3, 1}));
  cluster_of(9, {0, 1, 2, 3, 4});
  v.up[3] = v.up[4] = false;
  EXPECT_EQ(carry_out({2, 5, 6, 7, 8}), (numbers{5, 3, 6, 4, 7, 0, 8, 1}));
  EXPECT_FALSE(next_voter_change(v, numbers{2, 5, 6, 7, 8}));
}

TEST_F(voters_test, of_removed_nodes_go_too) {
  cluster_of(5, {0, 1, 2, 3});
  l.members[1].state = cluster::member_state::removed;
  EXPECT_EQ(carry_out({0, 2, 4}), (numbers{1, 4, 3}));
}

} // namespace cairn::actors::operator_voters_test
