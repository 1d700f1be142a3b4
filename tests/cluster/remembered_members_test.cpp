#include "cluster/remembered_members.hpp"

#include <gtest/gtest.h>

namespace cairn::cluster::remembered_members_test {
using cluster::known_member;
using storage::metadata::node_row;
using storage::metadata::node_state;

uuid id_of(node_number n) {
  uuid id{};
  id.fill(std::uint8_t(n + 1));
  return id;
}

node_row row(node_number n, std::string address) {
  node_row r;
  r.number = n;
  r.id = id_of(n);
  r.address = std::move(address);
  return r;
}

using members = std::vector<known_member>;

TEST(remembered_members, follow_the_layout_as_members_join_move_and_are_removed) {
  remembered_members kept{{}};
  std::vector<node_row> layout{row(0, "a:1")};
  auto wanted = kept.observe(layout);
  ASSERT_TRUE(wanted);
  EXPECT_EQ(*wanted, (members{{0, id_of(0), "a:1"}}));
  kept.written(*wanted);
  EXPECT_FALSE(kept.observe(layout));

  layout.push_back(row(1, "b:1"));
  wanted = kept.observe(layout);
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->size(), 2u);
  kept.written(*wanted);

  layout[1].address = "b:2";
  wanted = kept.observe(layout);
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->back().address, "b:2");
  kept.written(*wanted);

  layout[1].state = node_state::removed;
  wanted = kept.observe(layout);
  ASSERT_TRUE(wanted);
  EXPECT_EQ(*wanted, (members{{0, id_of(0), "a:1"}}));
}

TEST(remembered_members, are_returned_again_until_they_are_written) {
  remembered_members kept{{}};
  const std::vector<node_row> layout{row(0, "a:1"), row(1, "b:1")};
  EXPECT_TRUE(kept.observe(layout));
  EXPECT_TRUE(kept.observe(layout));
}

TEST(remembered_members, keep_an_address_that_an_operator_corrected_until_the_layout_has_a_newer_one) {
  remembered_members kept{{{0, id_of(0), "new-a:1"}, {1, id_of(1), "new-b:1"}}};
  std::vector<node_row> layout{row(0, "a:1"), row(1, "b:1")};
  EXPECT_FALSE(kept.observe(layout)); // from before all moved
  layout.push_back(row(2, "c:1"));
  auto wanted = kept.observe(layout);
  ASSERT_TRUE(wanted);
  EXPECT_EQ(*wanted, (members{{0, id_of(0), "new-a:1"}, {1, id_of(1), "new-b:1"}, {2, id_of(2), "c:1"}}));
  kept.written(*wanted);
  layout[0].address = "newer-a:1";
  wanted = kept.observe(layout);
  ASSERT_TRUE(wanted);
  EXPECT_EQ(wanted->front().address, "newer-a:1");
}

TEST(remembered_members, do_not_take_the_address_of_another_node_with_the_same_number) {
  remembered_members kept{{{0, id_of(9), "old:1"}}};
  const auto wanted = kept.observe(std::vector<node_row>{row(0, "a:1")});
  ASSERT_TRUE(wanted);
  EXPECT_EQ(*wanted, (members{{0, id_of(0), "a:1"}}));
}

TEST(remembered_members, are_not_changed_by_an_empty_layout) {
  remembered_members kept{{{0, id_of(0), "a:1"}}};
  EXPECT_FALSE(kept.observe({}));
}

} // namespace cairn::cluster::remembered_members_test
