#include "cluster/layout/comparisons.hpp"

#include "tests/cluster/layout/layouts.hpp"

namespace cairn::cluster::comparisons_test {
layout owned(owner_list current, owner_list target, layout_epoch epoch) {
  layout l{.epoch = epoch};
  l.members.resize(4);
  l.partitions.resize(partition_count, {.epoch = epoch, .current = {0}, .target = {0}});
  for (const partition_id p : {3, 900}) l.partitions[p] = {.epoch = epoch, .current = current, .target = target};
  return l;
}

const std::vector<partition_id> both{3, 900};
const std::vector<bool> none_failed(partition_count);

TEST(comparisons, are_of_incoming_partitions_that_every_session_has_acknowledged) {
  comparisons c;
  const auto l = owned({0}, {0, 1}, 5);
  EXPECT_EQ(c.next(l, 1, 4).count, 0u) << "a session may still write without this node";
  const auto round = c.next(l, 1, 5);
  EXPECT_EQ(round.count, 2u);
  EXPECT_TRUE(round.partitions[3] && round.partitions[900]);
  EXPECT_EQ(c.next(l, 0, 5).count, 0u) << "the node has them";
  EXPECT_EQ(c.next(l, 2, 5).count, 0u);
  EXPECT_TRUE(c.complete(l, 1).empty());
  c.finished(round, none_failed);
  EXPECT_EQ(c.complete(l, 1), both);
  EXPECT_EQ(c.next(l, 1, 5).count, 0u);
  EXPECT_TRUE(c.complete(l, 0).empty());
}

TEST(comparisons, read_what_is_to_be_the_only_copy) {
  comparisons c;
  const auto l = owned({0, 1}, {1}, 5);
  EXPECT_EQ(c.next(l, 0, 5).count, 0u) << "it is removed";
  EXPECT_EQ(c.next(l, 1, 4).count, 0u);
  const auto round = c.next(l, 1, 5);
  EXPECT_EQ(round.count, 2u);
  EXPECT_TRUE(round.read[3] && round.read[900]);
  EXPECT_EQ(std::ranges::count(round.read, true), 2);
  EXPECT_TRUE(c.complete(l, 1).empty());
  c.finished(round, none_failed);
  EXPECT_EQ(c.complete(l, 1), both);
  EXPECT_TRUE(c.next(owned({0}, {1}, 6), 1, 6).read[3]) << "its older chunks have not been read since";
  EXPECT_FALSE(c.next(owned({0}, {1, 2}, 7), 1, 7).read[3]);
  EXPECT_EQ(c.next(owned({0, 1, 2}, {2, 1}, 8), 1, 8).count, 2u) << "no other node repairs what it lacks";
  EXPECT_FALSE(c.next(owned({0, 1, 2}, {2, 1}, 8), 1, 8).read[3]);
  EXPECT_EQ(c.next(owned({0, 1, 2}, {2, 1, 3}, 9), 1, 9).count, 0u) << "a new owner compares";
  EXPECT_FALSE(comparisons::everything(l, 1).read[3]);
}

TEST(comparisons, that_failed_are_repeated) {
  comparisons c;
  const auto l = owned({0}, {1}, 5);
  auto failed = none_failed;
  failed[900] = true;
  c.finished(c.next(l, 1, 5), failed);
  EXPECT_EQ(c.complete(l, 1), std::vector<partition_id>{3});
  const auto again = c.next(l, 1, 5);
  EXPECT_EQ(again.count, 1u);
  EXPECT_TRUE(again.partitions[900]);
}

TEST(comparisons, count_for_the_owners_under_which_they_began) {
  comparisons c;
  auto l = owned({0}, {1}, 5);
  const auto began = c.next(l, 1, 5);
  l.epoch = 6;
  l.partitions[900] = {.epoch = 6, .current = {0}, .target = {1, 2}};
  c.finished(began, none_failed);
  EXPECT_EQ(c.complete(l, 1), std::vector<partition_id>{3});
  EXPECT_EQ(c.next(l, 1, 5).count, 0u) << "its owners are not acknowledged by all sessions yet";
  EXPECT_EQ(c.next(l, 1, 6).count, 1u);
}

TEST(comparisons, are_discarded_when_a_disk_fails) {
  comparisons c;
  const auto l = owned({0}, {1}, 5);
  c.finished(c.next(l, 1, 5), none_failed);
  EXPECT_EQ(c.complete(l, 1), both);
  c.forget();
  EXPECT_TRUE(c.complete(l, 1).empty());
  EXPECT_EQ(c.next(l, 1, 5).count, 2u);
}

TEST(comparisons, of_everything_complete_nothing) {
  const auto l = owned({0}, {1}, 5);
  EXPECT_EQ(comparisons::everything(l, 0).count, partition_count);
  EXPECT_EQ(comparisons::everything(l, 1).count, 2u);
  EXPECT_EQ(comparisons::everything(l, 3).count, 0u);
}

} // namespace cairn::cluster::comparisons_test
