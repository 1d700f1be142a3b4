#include "actors/members/node_names.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::node_names_test {

cluster::layout three_nodes() {
  cluster::layout l;
  for (node_number n = 0; n < 3; ++n) {
    cluster::member m;
    m.number = n;
    m.id[0] = std::uint8_t(0xa0 + n);
    m.address = "node-" + std::to_string(n) + ":9100";
    l.members.push_back(m);
  }
  return l;
}

admin_command named(admin_verb kind, std::vector<std::string> names) {
  admin_command c;
  c.kind = kind;
  c.names = std::move(names);
  return c;
}

TEST(node_names, finds_nodes_by_number_address_and_id) {
  const auto l = three_nodes();
  EXPECT_EQ(find_node(l, "1").value(), 1);
  EXPECT_EQ(find_node(l, "node-1:9100").value(), 1);
  EXPECT_EQ(find_node(l, "a100").value(), 1);
  EXPECT_EQ(find_node(l, "a0000000-0000-0000-0000-000000000000").value(), 0);
  for (const auto* nobody : {"3", "65537", "-1", "a10", "", "node-1", "b000"}) {
    const auto found = find_node(l, nobody);
    EXPECT_EQ(found.error(), errc::not_found) << nobody;
    EXPECT_EQ(found.error().text, std::string("the cluster has no node \"") + nobody + '"');
  }
}

TEST(node_names, refuses_a_name_that_fits_several) {
  auto l = three_nodes();
  l.members[1].id = l.members[0].id;
  l.members[2].address = l.members[1].address;
  EXPECT_EQ(find_node(l, "a000").error(), errc::invalid_argument);
  EXPECT_EQ(find_node(l, "node-1:9100").error(), errc::invalid_argument);
  EXPECT_EQ(find_node(l, "0").value(), 0);
}

TEST(node_names, puts_numbers_in_place_of_names) {
  const auto l = three_nodes();
  const auto drain = with_numbers(l, named(admin_verb::drain, {"node-2:9100"}));
  ASSERT_TRUE(drain);
  EXPECT_EQ(drain->node, 2);
  EXPECT_TRUE(drain->names.empty());
  EXPECT_EQ(with_numbers(l, named(admin_verb::voters, {"2", "a000"}))->nodes, (std::vector<node_number>{0, 2}));
  EXPECT_EQ(with_numbers(l, named(admin_verb::voters, {"0", "a000"})).error(), errc::invalid_argument) << "named twice";
  EXPECT_EQ(with_numbers(l, named(admin_verb::voters, {"0", "7"})).error(), errc::not_found);
  admin_command numbered;
  numbered.kind = admin_verb::drain;
  numbered.node = 1;
  EXPECT_EQ(with_numbers(l, numbered).value(), numbered);
}

TEST(node_names, finds_a_removed_node_only_for_a_removal_that_is_repeated) {
  auto l = three_nodes();
  l.members[2].state = cluster::member_state::removed;
  for (const auto* name : {"2", "node-2:9100", "a200"}) {
    auto c = named(admin_verb::remove, {name});
    EXPECT_EQ(with_numbers(l, c).error(), errc::not_found) << name;
    c.repeated = true;
    EXPECT_EQ(with_numbers(l, c)->node, 2) << name;
    c.kind = admin_verb::drain;
    EXPECT_EQ(with_numbers(l, c).error(), errc::not_found) << name;
  }
}

TEST(node_names, a_repeated_removal_does_not_guess_between_a_removed_node_and_its_successor_at_the_same_address) {
  auto l = three_nodes();
  l.members[1].state = cluster::member_state::removed;
  l.members[2].address = l.members[1].address;
  auto c = named(admin_verb::remove, {"node-1:9100"});
  EXPECT_EQ(with_numbers(l, c)->node, 2);
  c.repeated = true;
  EXPECT_EQ(with_numbers(l, c).error(), errc::invalid_argument);
}

} // namespace cairn::actors::node_names_test
