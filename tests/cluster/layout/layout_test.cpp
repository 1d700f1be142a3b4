#include "cluster/layout/layout.hpp"

#include "tests/cluster/layout/layouts.hpp"

#include <bit>

namespace cairn::cluster::layout_test {

TEST(layout, counts_a_majority_unless_configured_otherwise) {
  const std::size_t expected[] = {1, 2, 2, 3, 3, 4, 4, 5};
  for (std::size_t owners = 1; owners <= 8; ++owners) EXPECT_EQ(write_quorum(owners, 0), expected[owners - 1]);
  EXPECT_EQ(write_quorum(3, 1), 1u);
  EXPECT_EQ(write_quorum(3, 3), 3u);
  EXPECT_EQ(write_quorum(2, 3), 2u) << "never more than the number of members";
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
  l.partitions.resize(partition_count, {.epoch = 4, .current = {0, 1, 2}, .target = {2, 3, 4}});
  const write_route route = route_write(l, 9);
  EXPECT_EQ(route.nodes, (owner_union{0, 1, 2, 3, 4}));
  EXPECT_EQ(route.counted, 3u);
  EXPECT_EQ(route.quorum, 2u);
  EXPECT_EQ(read_owners(l, 9), route.nodes);
  l.write_quorum = 3;
  EXPECT_EQ(route_write(l, 9).quorum, 3u);
}

TEST(layout, refuses_requests_of_older_owners_and_asks_for_a_newer_layout_than_its_own) {
  layout l{.epoch = 9};
  l.members.resize(2);
  l.partitions.resize(partition_count, {.epoch = 5, .current = {0}, .target = {1}});
  EXPECT_EQ(fence(l, 3, 4), fenced::requester_behind);
  EXPECT_EQ(fence(l, 3, 5), fenced::serve);
  EXPECT_EQ(fence(l, 3, 9), fenced::serve);
  EXPECT_EQ(fence(l, 3, 10), fenced::store_behind);
  EXPECT_EQ(fence(layout{}, 3, 0), fenced::store_behind);
}

TEST(layout, lets_a_former_owner_delete_after_every_session_has_acknowledged) {
  layout l{.epoch = 3};
  l.members.resize(3);
  l.partitions.resize(partition_count, {.epoch = 2, .current = {0}, .target = {1}});
  EXPECT_FALSE(may_drop(l, 8, 0, 3));
  EXPECT_FALSE(may_drop(l, 8, 1, 3));
  EXPECT_TRUE(may_drop(l, 8, 2, 2));
  EXPECT_FALSE(may_drop(l, 8, 2, 1));
  move_everything(l);
  EXPECT_FALSE(may_drop(l, 8, 0, 3)) << "a session may still write under the previous layout";
  EXPECT_TRUE(may_drop(l, 8, 0, 4));
  EXPECT_FALSE(may_drop(l, 8, 1, 4));
  l.members[0].state = member_state::out;
  EXPECT_FALSE(may_drop(l, 8, 0, 4)) << "it comes back with its chunks";
}

TEST(layout, recognizes_moves_that_only_remove_replicas) {
  const auto moves = [](owner_list current, owner_list target) {
    return partition_owners{.epoch = 1, .current = current, .target = target};
  };
  EXPECT_TRUE(only_shrinks(moves({0, 1, 2}, {2, 0})));
  EXPECT_TRUE(only_shrinks(moves({0, 1}, {1})));
  for (const auto& other : {moves({0, 1, 2}, {2, 3}), moves({0}, {1}), moves({0, 1}, {1, 0}), moves({0}, {0, 1})})
    EXPECT_FALSE(only_shrinks(other));
  EXPECT_TRUE(leaves_single_owner(moves({0, 1}, {1})));
  EXPECT_TRUE(leaves_single_owner(moves({0}, {1})));
  EXPECT_FALSE(leaves_single_owner(moves({0}, {0})));
  EXPECT_FALSE(leaves_single_owner(moves({0, 1, 2}, {2, 0})));
}

TEST(layout, counts_pending_moves) {
  layout l{.epoch = 3};
  l.members.resize(5);
  l.partitions.resize(partition_count, {.epoch = 1, .current = {0, 1, 2}, .target = {0, 1, 2}});
  l.partitions[4] = {.epoch = 2, .current = {0, 1, 2}, .target = {2, 3, 4}};
  l.partitions[5] = {.epoch = 2, .current = {0, 1, 2}, .target = {2, 1, 0}};
  const movement m = pending_moves(l);
  EXPECT_EQ(m.partitions, 2u);
  EXPECT_EQ(m.copies, 2u);
  EXPECT_EQ(m.incoming, (std::vector<std::uint32_t>{0, 0, 0, 1, 1}));
  EXPECT_EQ(m.outgoing, (std::vector<std::uint32_t>{1, 1, 0, 0, 0}));
  EXPECT_EQ(owned_partitions(l), (std::vector<std::uint32_t>{16383, 16383, 16384, 1, 1}));
}

} // namespace cairn::cluster::layout_test
