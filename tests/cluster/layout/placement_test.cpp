#include "cluster/layout/placement.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace cairn::cluster::placement_test {

std::vector<placement_member> members_of(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 draw{seed};
  std::vector<placement_member> out(count);
  for (auto& m : out) {
    for (auto& byte : m.id) byte = std::uint8_t(draw());
  }
  return out;
}

std::vector<std::size_t> firsts(const placement& p) {
  std::vector<std::size_t> out(p.members());
  for (std::size_t i = 0; i < partition_count; ++i) ++out[p.ranked(partition_id(i))[0]];
  return out;
}

TEST(placement, ranks_every_member_once_in_every_partition) {
  const placement p{members_of(7, 1)};
  for (std::size_t i = 0; i < partition_count; ++i) {
    const auto row = p.ranked(partition_id(i));
    EXPECT_EQ(std::set<std::uint16_t>(row.begin(), row.end()).size(), 7u);
  }
}

// 16,384 partitions over n members spread binomially: four standard deviations, as a share of the mean, is √n / 32.
TEST(placement, spreads_partitions_evenly_over_up_to_50_equal_members) {
  for (std::size_t count = 1; count <= 50; count += count < 8 ? 1 : 7) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const double mean = double(partition_count) / double(count);
      const double allowed = mean * std::max(0.10, 4 * std::sqrt(double(count) / partition_count));
      for (const auto n : firsts(placement{members_of(count, seed)})) EXPECT_NEAR(double(n), mean, allowed) << count;
    }
  }
}

TEST(placement, gives_each_member_the_share_of_its_weight) {
  auto members = members_of(5, 9);
  const double weights[] = {1, 2, 3, 4, 6};
  for (std::size_t i = 0; i < 5; ++i) members[i].weight = weights[i];
  const auto shares = firsts(placement{members});
  for (std::size_t i = 0; i < 5; ++i) {
    const double expected = weights[i] / 16 * partition_count;
    EXPECT_NEAR(double(shares[i]), expected, expected * 0.10);
  }
}

TEST(placement, moves_only_what_a_new_member_wins) {
  const auto members = members_of(10, 4);
  const placement before{std::span{members}.first(9)}, after{members};
  std::size_t moved = 0;
  for (std::size_t i = 0; i < partition_count; ++i) {
    const auto p = partition_id(i);
    if (before.ranked(p)[0] == after.ranked(p)[0]) continue;
    EXPECT_EQ(after.ranked(p)[0], 9);
    EXPECT_EQ(after.ranked(p)[1], before.ranked(p)[0]);
    ++moved;
  }
  EXPECT_NEAR(double(moved), partition_count / 10.0, partition_count / 100.0);
}

TEST(placement, does_not_depend_on_the_order_of_the_members) {
  auto members = members_of(6, 5);
  const placement forward{members};
  std::reverse(members.begin(), members.end());
  const placement backward{members};
  for (std::size_t i = 0; i < partition_count; ++i) {
    const auto p = partition_id(i);
    for (std::size_t r = 0; r < 6; ++r) EXPECT_EQ(forward.ranked(p)[r], 5 - backward.ranked(p)[r]);
  }
}

// The table decides where chunks are stored: a change of the formula would lose them. (Values of the first version.)
TEST(placement, still_computes_the_table_of_the_first_version) {
  const placement p{members_of(4, 42)};
  std::uint64_t digest = 14695981039346656037ull;
  for (std::size_t i = 0; i < partition_count; ++i) {
    for (const auto m : p.ranked(partition_id(i))) digest = (digest ^ m) * 1099511628211ull;
  }
  EXPECT_EQ(digest, 11118792029656243405ull);
}

} // namespace cairn::cluster::placement_test
