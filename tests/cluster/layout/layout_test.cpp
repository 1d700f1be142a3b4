#include "cluster/layout/layout.hpp"

#include "tests/cluster/layout/layouts.hpp"

#include <bit>

namespace cairn::cluster {

namespace {

layout moving_cluster() {
  layout l = cluster_of(equal_weights(5), 5);
  std::mt19937_64 draw{7};
  l = planned(l, change::join{random_node(draw, 100, "zone-5")}).after;
  return planned(l, change::set_state{0, member_state::draining}).after;
}

} // namespace

TEST(layout, counts_a_majority_unless_configured_otherwise) {
  const std::size_t expected[] = {1, 2, 2, 3, 3, 4, 4, 5};
  for (std::size_t owners = 1; owners <= 8; ++owners) EXPECT_EQ(write_quorum(owners, 0), expected[owners - 1]);
  EXPECT_EQ(write_quorum(3, 1), 1u);
  EXPECT_EQ(write_quorum(3, 3), 3u);
  EXPECT_EQ(write_quorum(2, 3), 2u) << "never more than there are";
}

TEST(layout, any_two_write_quorums_of_a_partition_have_an_owner_in_common) {
  for (std::size_t owners = 1; owners <= storage::metadata::owners_max; ++owners) {
    const std::size_t quorum = write_quorum(owners, 0);
    for (unsigned a = 0; a < 1u << owners; ++a)
      for (unsigned b = 0; b < 1u << owners; ++b) {
        if (std::size_t(std::popcount(a)) >= quorum && std::size_t(std::popcount(b)) >= quorum) {
          ASSERT_NE(a & b, 0u);
        }
      }
  }
}

TEST(layout, sends_writes_to_both_owners_and_counts_the_current_ones) {
  layout l{.epoch = 4, .replicas = 3};
  l.members.resize(6);
  l.partitions.resize(storage::partition_count, {.epoch = 4, .current = {0, 1, 2}, .target = {2, 3, 4}});
  const write_route route = route_write(l, 9);
  EXPECT_EQ(route.nodes, (owner_union{0, 1, 2, 3, 4}));
  EXPECT_EQ(route.counted, 3u);
  EXPECT_EQ(route.quorum, 2u);
  EXPECT_EQ(read_owners(l, 9), route.nodes);
  const auto reached = [&](std::vector<member_index> confirmed) { return quorum_reached(route, confirmed); };
  EXPECT_FALSE(reached({}));
  EXPECT_FALSE(reached({2, 3, 4})) << "targets don't count";
  EXPECT_FALSE(reached({1, 1})) << "an answer counts once";
  EXPECT_TRUE(reached({4, 2, 0}));
  l.write_quorum = 3;
  EXPECT_FALSE(quorum_reached(route_write(l, 9), std::vector<member_index>{0, 2}));
}

TEST(layout, refuses_requests_of_older_owners_and_asks_for_a_newer_layout_than_its_own) {
  layout l{.epoch = 9};
  l.members.resize(2);
  l.partitions.resize(storage::partition_count, {.epoch = 5, .current = {0}, .target = {1}});
  EXPECT_EQ(fence(l, 3, 4), fenced::requester_behind);
  EXPECT_EQ(fence(l, 3, 5), fenced::serve);
  EXPECT_EQ(fence(l, 3, 9), fenced::serve);
  EXPECT_EQ(fence(l, 3, 10), fenced::store_behind);
  EXPECT_EQ(fence(layout{}, 3, 0), fenced::store_behind);
}

TEST(layout, takes_the_targets_as_current_when_they_are_complete) {
  layout l = moving_cluster();
  const layout before = l;
  const partition_id some[] = {0, 5, 16383};
  mark_moved(l, some);
  EXPECT_EQ(l.epoch, before.epoch + 1);
  for (std::uint32_t p = 0; p < storage::partition_count; ++p) {
    const bool listed = std::ranges::find(some, p) != std::end(some);
    EXPECT_EQ(l.partitions[p].target, before.partitions[p].target);
    EXPECT_EQ(l.partitions[p].current, listed ? before.partitions[p].target : before.partitions[p].current);
    EXPECT_EQ(l.partitions[p].epoch, listed && !(l.partitions[p].current == before.partitions[p].current)
                                         ? l.epoch
                                         : before.partitions[p].epoch);
  }
  move_everything(l);
  const auto settled = l.epoch;
  move_everything(l);
  EXPECT_EQ(l.epoch, settled) << "nothing was left to move";
  EXPECT_EQ(pending_moves(l).partitions, 0u);
}

TEST(layout, lets_a_former_owner_delete_when_every_session_knows_that_it_is_one) {
  layout l{.epoch = 3};
  l.members.resize(3);
  l.partitions.resize(storage::partition_count, {.epoch = 2, .current = {0}, .target = {1}});
  EXPECT_FALSE(may_drop(l, 8, 0, 3));
  EXPECT_FALSE(may_drop(l, 8, 1, 3));
  EXPECT_TRUE(may_drop(l, 8, 2, 2));
  EXPECT_FALSE(may_drop(l, 8, 2, 1));
  move_everything(l);
  EXPECT_FALSE(may_drop(l, 8, 0, 3)) << "a session may still write by the layout before";
  EXPECT_TRUE(may_drop(l, 8, 0, 4));
  EXPECT_FALSE(may_drop(l, 8, 1, 4));
  l.members[0].state = member_state::out;
  EXPECT_FALSE(may_drop(l, 8, 0, 4)) << "it comes back with what it has";
}

TEST(layout, tells_where_owners_only_go) {
  const auto moves = [](owner_list current, owner_list target) {
    return partition_owners{.epoch = 1, .current = current, .target = target};
  };
  EXPECT_TRUE(only_shrinks(moves({0, 1, 2}, {2, 0})));
  EXPECT_TRUE(only_shrinks(moves({0, 1}, {1})));
  for (const auto& other : {moves({0, 1, 2}, {2, 3}), moves({0}, {1}), moves({0, 1}, {1, 0}), moves({0}, {0, 1})})
    EXPECT_FALSE(only_shrinks(other));
  EXPECT_TRUE(will_be_alone(moves({0, 1}, {1})));
  EXPECT_TRUE(will_be_alone(moves({0}, {1})));
  EXPECT_FALSE(will_be_alone(moves({0}, {0})));
  EXPECT_FALSE(will_be_alone(moves({0, 1, 2}, {2, 0})));
}

TEST(layout, tells_what_is_to_be_moved) {
  layout l{.epoch = 3};
  l.members.resize(5);
  l.partitions.resize(storage::partition_count, {.epoch = 1, .current = {0, 1, 2}, .target = {0, 1, 2}});
  l.partitions[4] = {.epoch = 2, .current = {0, 1, 2}, .target = {2, 3, 4}};
  l.partitions[5] = {.epoch = 2, .current = {0, 1, 2}, .target = {2, 1, 0}};
  const movement m = pending_moves(l);
  EXPECT_EQ(m.partitions, 2u);
  EXPECT_EQ(m.copies, 2u);
  EXPECT_EQ(m.incoming, (std::vector<std::uint32_t>{0, 0, 0, 1, 1}));
  EXPECT_EQ(m.outgoing, (std::vector<std::uint32_t>{1, 1, 0, 0, 0}));
  EXPECT_EQ(owned_partitions(l), (std::vector<std::uint32_t>{16383, 16383, 16384, 1, 1}));
}

TEST(layout, comes_back_as_it_was_encoded_and_is_compact) {
  for (const layout& l : {layout{}, cluster_of({100}), moving_cluster()}) {
    const std::string bytes = encode(l);
    const auto decoded = decode_layout(bytes);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, l);
    EXPECT_EQ(encode(*decoded), bytes);
  }
  EXPECT_LT(encode(cluster_of(equal_weights(50))).size(), 6u * storage::partition_count);
  EXPECT_LT(encode(moving_cluster()).size(), 8u * storage::partition_count);
}

TEST(layout, refuses_bytes_that_do_not_follow_the_grammar) {
  const std::string bytes = encode(moving_cluster());
  for (std::size_t length = 0; length < bytes.size(); length += length < 500 ? 1 : 977)
    EXPECT_EQ(decode_layout(std::string_view{bytes}.substr(0, length)).error(), errc::corrupt) << length;
  EXPECT_EQ(decode_layout(bytes + '\0').error(), errc::corrupt);
  EXPECT_EQ(decode_layout('\x02' + bytes.substr(1)).error(), errc::unsupported);
  layout foreign = cluster_of(equal_weights(2));
  foreign.partitions[77].current = foreign.partitions[77].target = {0, 2};
  EXPECT_EQ(decode_layout(encode(foreign)).error(), errc::corrupt) << "an owner that is no member";
  layout early = cluster_of(equal_weights(2));
  early.partitions[77].epoch = early.epoch + 1;
  EXPECT_EQ(decode_layout(encode(early)).error(), errc::corrupt);
  layout gap = cluster_of(equal_weights(2));
  gap.members[1].number = 2;
  EXPECT_EQ(decode_layout(encode(gap)).error(), errc::corrupt);
}

} // namespace cairn::cluster
