#include "actors/upload/chunk_replicas.hpp"

#include <gtest/gtest.h>

#include <random>

namespace cairn::actors::chunk_replicas_test {

using storage::metadata::missing_chunks;
using storage::metadata::missing_chunks_max;

TEST(chunk_replicas, are_durable_with_a_quorum_of_the_current_owners) {
  chunk_replicas r{{{4, 7, 9, 2}, 3, 2}}; // 2 is a target only
  r.confirmed(2);
  r.confirmed(7);
  EXPECT_FALSE(r.durable());
  r.confirmed(7);
  EXPECT_FALSE(r.durable());
  r.confirmed(9);
  EXPECT_TRUE(r.durable());
  EXPECT_FALSE(r.settled());
  EXPECT_TRUE(r.pending(4));
  r.failed(4);
  EXPECT_TRUE(r.settled());
  EXPECT_TRUE(r.durable());
  EXPECT_EQ(r.owners_without_confirmation(), cluster::owner_union{4});
}

TEST(chunk_replicas, cannot_reach_the_quorum_when_too_few_current_owners_are_left) {
  chunk_replicas r{{{4, 7, 9, 2}, 3, 2}};
  r.failed(4);
  EXPECT_FALSE(r.quorum_unreachable());
  EXPECT_TRUE(r.needs(7));
  EXPECT_FALSE(r.needs(2));
  r.confirmed(2);
  r.failed(7);
  EXPECT_TRUE(r.quorum_unreachable());
}

TEST(chunk_replicas, keep_what_they_know_when_the_owners_change) {
  chunk_replicas r{{{1, 2, 3}, 3, 2}};
  r.confirmed(1);
  r.failed(2);
  EXPECT_EQ(r.reroute({{1, 2, 5, 6}, 3, 2}), (cluster::owner_union{5, 6}));
  EXPECT_FALSE(r.pending(2));
  EXPECT_FALSE(r.pending(3));
  r.confirmed(3); // the answer of one that is no owner any more
  EXPECT_FALSE(r.durable());
  r.confirmed(5);
  EXPECT_TRUE(r.durable());
  EXPECT_EQ(r.owners_without_confirmation(), (cluster::owner_union{2, 6}));
}

TEST(unconfirmed_chunks, are_named_by_merged_and_sorted_ranges) {
  unconfirmed_chunks u;
  for (const auto chunk : {5u, 3u, 4u, 9u, 4u}) u.add(7, chunk);
  u.add(1, 0);
  EXPECT_EQ(u.list(10), (std::vector<missing_chunks>{{1, 0, 1}, {7, 3, 3}, {7, 9, 1}}));
  EXPECT_TRUE(u.contains({7, 0, 4}));
  EXPECT_TRUE(u.contains({7, 5, 3}));
  EXPECT_FALSE(u.contains({7, 6, 3}));
  EXPECT_FALSE(u.contains({7, 0, 3}));
  EXPECT_FALSE(u.contains({2, 0, 10}));
}

TEST(unconfirmed_chunks, name_the_whole_blob_of_nodes_with_too_many_ranges) {
  unconfirmed_chunks u;
  for (std::uint32_t i = 0; i < 1000; ++i) u.add(1, i * 2);
  for (std::uint32_t i = 0; i < 200; ++i) u.add(2, i * 2);
  for (std::uint32_t i = 0; i < 100; ++i) u.add(3, i * 2);
  u.add(4, 17);
  const auto list = u.list(2000);
  ASSERT_TRUE(list);
  ASSERT_LE(list->size(), missing_chunks_max);
  EXPECT_EQ((*list)[0], (missing_chunks{1, 0, 2000}));
  EXPECT_EQ((*list)[1], (missing_chunks{2, 0, 2000}));
  EXPECT_EQ(list->size(), 103u);
}

TEST(unconfirmed_chunks, always_cover_what_was_added_within_the_bound) {
  std::mt19937 draw{3};
  for (int round = 0; round < 200; ++round) {
    unconfirmed_chunks u;
    std::vector<std::pair<node_number, std::uint32_t>> added;
    const auto nodes = 1 + draw() % 300, count = draw() % 2000, chunks = 1 + draw() % 3000;
    for (unsigned i = 0; i < count; ++i) {
      added.emplace_back(draw() % nodes, draw() % chunks);
      u.add(added.back().first, added.back().second);
    }
    const auto list = u.list(std::uint32_t(chunks));
    if (!list) continue;
    ASSERT_LE(list->size(), missing_chunks_max);
    for (std::size_t i = 1; i < list->size(); ++i) {
      const auto &a = (*list)[i - 1], &b = (*list)[i];
      ASSERT_TRUE(a.node < b.node || (a.node == b.node && a.first + a.count < b.first));
    }
    for (const auto& [node, chunk] : added) {
      ASSERT_TRUE(std::any_of(list->begin(), list->end(), [node = node, chunk = chunk](const missing_chunks& m) {
        return m.node == node && m.first <= chunk && chunk < m.first + m.count;
      }));
    }
  }
}

} // namespace cairn::actors::chunk_replicas_test
