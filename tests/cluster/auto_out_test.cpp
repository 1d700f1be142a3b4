#include "cluster/auto_out.hpp"

#include "tests/cluster/layout/layouts.hpp"

namespace cairn::cluster::auto_out_test {

// Members half full, with those down for long.
std::vector<member_health> health_of(const layout& l, std::initializer_list<member_index> down,
                                     std::uint64_t used_percent = 50) {
  std::vector<member_health> health(l.members.size(),
                                    {.used_bytes = used_percent, .capacity_bytes = 100, .data_bytes = used_percent});
  for (const auto n : down) health[n].down = health[n].overdue = true;
  return health;
}

using members = std::vector<member_index>;

TEST(auto_out, takes_out_a_member_that_has_been_down_for_long) {
  const layout l = cluster_of(equal_weights(5));
  EXPECT_EQ(decide_out(l, health_of(l, {})).out, members{});
  EXPECT_EQ(decide_out(l, health_of(l, {3})).out, members{3});
  EXPECT_EQ(decide_out(l, health_of(l, {3})).paused, out_pause::none);
  auto early = health_of(l, {3});
  early[3].overdue = false;
  EXPECT_EQ(decide_out(l, early).out, members{});
}

TEST(auto_out, does_not_count_members_that_never_came_up) {
  const layout l = cluster_of(equal_weights(6));
  auto health = health_of(l, {2, 3, 4}, 20);
  EXPECT_EQ(decide_out(l, health).paused, out_pause::many_down);
  health[3].never_seen = health[4].never_seen = true;
  EXPECT_EQ(decide_out(l, health).out, (members{3, 4}))
      << "members that were never seen are taken out first: that moves nothing";
  health[3].overdue = health[4].overdue = false;
  EXPECT_EQ(decide_out(l, health).out, members{2});
  EXPECT_EQ(decide_out(l, health).paused, out_pause::none);
}

TEST(auto_out, pauses_when_more_than_a_tenth_of_the_nodes_and_at_least_two_are_down) {
  const layout three = cluster_of(equal_weights(3)), twenty = cluster_of(equal_weights(20));
  EXPECT_EQ(decide_out(three, health_of(three, {1}, 20)).out, members{1})
      << "one of three is more than a tenth, but one";
  EXPECT_EQ(decide_out(three, health_of(three, {1, 2}, 20)).paused, out_pause::many_down);
  EXPECT_EQ(decide_out(twenty, health_of(twenty, {4, 9})).out, (members{4, 9})) << "exactly a tenth";
  EXPECT_EQ(decide_out(twenty, health_of(twenty, {4, 9, 11})).paused, out_pause::many_down);
  EXPECT_TRUE(decide_out(twenty, health_of(twenty, {4, 9, 11})).out.empty());
}

TEST(auto_out, names_the_waiting_members_and_those_that_cause_the_pause) {
  const layout l = cluster_of(equal_weights(20), 10);
  auto health = health_of(l, {4, 9, 11});
  health[9].overdue = false;
  EXPECT_EQ(decide_out(l, health), (out_decision{{}, out_pause::many_down, {4, 11}, {4, 9, 11}}));
  health = health_of(l, {3, 13});
  health[13].overdue = false;
  EXPECT_EQ(decide_out(l, health), (out_decision{{}, out_pause::zone_down, {3}, {3, 13}}));
  EXPECT_EQ(decide_out(l, health_of(l, {3, 4}, 77)), (out_decision{{3}, out_pause::no_room, {4}, {}}));
  EXPECT_EQ(decide_out(l, health_of(l, {})), out_decision{});
}

TEST(auto_out, counts_members_that_are_out_and_still_down) {
  layout l = cluster_of(equal_weights(20));
  for (const member_index n : {4, 9}) l = planned(l, change::set_state{n, member_state::out}).after;
  EXPECT_EQ(decide_out(l, health_of(l, {4, 9, 11})).paused, out_pause::many_down);
  EXPECT_EQ(decide_out(l, health_of(l, {9, 11})).out, members{11});
  EXPECT_EQ(decide_out(l, health_of(l, {4, 9})).out, members{}) << "already out";
}

TEST(auto_out, pauses_when_a_whole_zone_is_down) {
  const layout l = cluster_of(equal_weights(20), 10);
  EXPECT_EQ(decide_out(l, health_of(l, {3, 13})).paused, out_pause::zone_down);
  EXPECT_EQ(decide_out(l, health_of(l, {3, 14})).out, (members{3, 14}));
  const layout own_zones = cluster_of(equal_weights(20), 20);
  EXPECT_EQ(decide_out(own_zones, health_of(own_zones, {3})).out, members{3}) << "its zone has only this node";
}

TEST(auto_out, pauses_when_the_remaining_nodes_would_be_too_full) {
  layout l = cluster_of(equal_weights(20));
  EXPECT_EQ(decide_out(l, health_of(l, {3}, 80)).out, members{3}) << "80 × 20 / 19 = 84.2";
  EXPECT_EQ(decide_out(l, health_of(l, {3}, 81)).paused, out_pause::no_room);
  EXPECT_EQ(decide_out(l, health_of(l, {3, 4}, 77)).out, members{3});
  EXPECT_EQ(decide_out(l, health_of(l, {3, 4}, 77)).paused, out_pause::no_room);
  // What a member that is out still held alone is about to arrive at the others.
  l = planned(l, change::set_state{3, member_state::out}).after;
  EXPECT_EQ(decide_out(l, health_of(l, {3, 4}, 77)).paused, out_pause::no_room);
  move_everything(l);
  EXPECT_EQ(decide_out(l, health_of(l, {3, 4}, 77)).out, members{4});
}

TEST(auto_out, counts_only_the_chunks_of_a_down_node_as_data_to_move) {
  const auto l = cluster_of(equal_weights(4));
  auto health = health_of(l, {3}, 78);
  EXPECT_EQ(decide_out(l, health).paused, out_pause::no_room);
  health[3].data_bytes = 2;
  EXPECT_EQ(decide_out(l, health).out, members{3}) << "(3 × 78 + 2) / 3 = 78.7";
}

TEST(auto_out, does_not_count_space_of_members_without_a_weight) {
  layout l = cluster_of(equal_weights(20));
  for (member_index n = 10; n < 20; ++n) l.members[n].weight = 0;
  l = planned(l, change::retarget{}).after;
  move_everything(l);
  EXPECT_EQ(decide_out(l, health_of(l, {3}, 76)).out, members{3}) << "76 × 10 / 9 = 84.4";
  EXPECT_EQ(decide_out(l, health_of(l, {3}, 77)).paused, out_pause::no_room);
}

TEST(auto_out, has_a_name_for_each_reason) {
  EXPECT_EQ(to_string(out_pause::none), "none");
  EXPECT_EQ(to_string(out_pause::many_down), "many_down");
  EXPECT_EQ(to_string(out_pause::zone_down), "zone_down");
  EXPECT_EQ(to_string(out_pause::no_room), "no_room");
}

} // namespace cairn::cluster::auto_out_test
