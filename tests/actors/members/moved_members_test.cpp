#include "tests/actors/members/membership_fixture.hpp"

#include <algorithm>

namespace cairn::actors::moved_members_test {

TEST_F(membership_test, reports_a_new_address_to_all_whom_it_reaches_because_the_leader_does_not_reach_it) {
  cluster_of(3);
  run(meta::set_node{.node = 0, .address = "old:1"});
  network.linked = {id_of(1), id_of(2)};
  start();
  pass(2s);
  std::vector<uuid> told;
  for (const auto& c : network.calls) {
    if (c.kind != peer_request::report) continue;
    EXPECT_EQ(decode_report(c.bytes)->node.address, "node-0:1");
    told.push_back(c.to);
  }
  ASSERT_EQ(told.size(), 2u);
  EXPECT_NE(told[0], told[1]);
  run(meta::set_node{.node = 0, .address = "node-0:1"});
  network.calls.clear();
  pass(2s);
  EXPECT_TRUE(std::ranges::none_of(network.calls, [](const auto& c) { return c.kind == peer_request::report; }));
}

TEST_F(membership_test, without_a_leader_takes_a_new_address_from_the_member_itself) {
  cluster_of(3);
  start();
  const auto tell = [this](node_number n, const std::string& address) {
    auto r = report_of(n);
    r.node.address = address;
    (void)ask(peer_request::report, encode(r), id_of(n), meta::feature_level);
  };
  tell(1, "moved:1");
  tell(2, "0.0.0.0:9100");
  EXPECT_EQ(*layouts->moved(), (layout_holder::addresses{{1, "moved:1"}}));
  tell(1, "node-1:1");
  EXPECT_TRUE(layouts->moved()->empty());
  tell(1, "moved:1");
  log.leader = 2; // it commits the address
  pass(1s);
  tell(2, "moved:2");
  EXPECT_EQ(*layouts->moved(), (layout_holder::addresses{{1, "moved:1"}})) << "until the leader's layout is here";
  pass(layout_holder::addresses_kept + 1s);
  EXPECT_TRUE(layouts->moved()->empty());
}

} // namespace cairn::actors::moved_members_test
