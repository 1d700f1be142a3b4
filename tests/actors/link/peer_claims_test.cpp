// What a node may say in whose name.
#include "actors/link/peer_claims.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::peer_claims_test {

namespace meta = storage::metadata;

link::peer member(std::uint8_t node, std::uint64_t incarnation = 5) {
  link::peer p;
  p.node = uuid{node};
  p.incarnation = incarnation;
  p.member = p.certified = true;
  return p;
}

TEST(peer_claims, a_node_speaks_as_itself) {
  EXPECT_TRUE(check_sender(member(1), uuid{1}));
  EXPECT_EQ(check_sender(member(1), uuid{2}).error(), errc::invalid_argument);
}

TEST(peer_claims, a_session_is_begun_by_its_own_node_and_start) {
  EXPECT_TRUE(may_submit(member(1), meta::begin_session{uuid{1}, 5}));
  EXPECT_FALSE(may_submit(member(1), meta::begin_session{uuid{2}, 5})) << "that would end the other's";
  EXPECT_FALSE(may_submit(member(1), meta::begin_session{uuid{1}, 6})) << "a start that is not the link's";
  EXPECT_TRUE(may_submit(member(1), meta::end_session{7}));
  EXPECT_TRUE(may_submit(member(1), meta::create_bucket{.name = "bucket"}));
}

TEST(peer_claims, reported_members_are_accepted_unless_known_rows_contradict_them) {
  std::vector<meta::node_row> known(3);
  for (std::uint8_t n = 0; n < 3; ++n) {
    known[n].number = n;
    known[n].id = uuid{std::uint8_t(10 + n)};
  }
  known[2].state = meta::node_state::removed;
  const std::vector<cluster::known_member> told{{0, uuid{10}, "moved:1"},      {2, uuid{12}, "removed:1"},
                                                {9, uuid{12}, "removed:1"},    {1, uuid{77}, "taken:1"},
                                                {9, uuid{11}, "renumbered:1"}, {3, uuid{13}, "new:1"}};
  EXPECT_EQ(plausible_members(told, known), (std::vector<cluster::known_member>{told[0], told[5]}));
  EXPECT_EQ(plausible_members(told, {}).size(), told.size()) << "nothing is known here";
  EXPECT_EQ(plausible_members(std::vector<cluster::known_member>(500, told[5]), {}).size(), meta::members_max);
}

} // namespace cairn::actors::peer_claims_test
