#include "actors/chunks/chunk_router.hpp"

#include "tests/actors/chunks/chunk_fixture.hpp"

namespace cairn::actors::chunk_router_test {

TEST(chunk_router, ranks_owners_that_are_up_then_trusted_then_complete_then_quick) {
  const std::array<remote_node, 6> nodes{{{0}, {1}, {2}, {3}, {4}, {5}}};
  std::array<read_candidate, 6> owners{{
      {&nodes[0], false, false, true, 100}, // down
      {&nodes[1], true, true, true, 100},   // suspect
      {&nodes[2], true, false, false, 100}, // not complete yet
      {&nodes[3], true, false, true, 4000}, // slow
      {&nodes[4], true, false, true, 1500}, // as quick as the next one
      {&nodes[5], true, false, true, 1100},
  }};
  rank_candidates(owners);
  std::vector<int> order;
  order.reserve(owners.size());
  for (const auto& o : owners) order.push_back(o.node->number);
  EXPECT_EQ(order, (std::vector<int>{4, 5, 3, 2, 1, 0}));
}

class chunk_router_test : public chunk_fixture {
protected:
  // Of the gateway, which is node 0.
  std::unique_ptr<chunk_router> router() {
    chunk_router::cluster_services parts{nodes[0]->layouts, network,
                                         [this](const uuid& id) { return remote(std::size_t(id[0]) - 1); }};
    return std::make_unique<chunk_router>(nodes[0]->router, std::move(parts));
  }
};

TEST_F(chunk_router_test, knows_only_the_local_disks_on_a_standalone_node) {
  add_node();
  const chunk_router alone{nodes[0]->router};
  const auto route = alone.route_read(chunk_number(1));
  EXPECT_EQ(route.places(), 1u);
  EXPECT_FALSE(route.remote(0));
  EXPECT_FALSE(route.in_cluster());
  EXPECT_EQ(alone.route_write(chunk_number(1))->route.nodes.size(), 1u);
  EXPECT_EQ(alone.writer(chunk_number(1), 0), nodes[0]->router->writer(chunk_number(1)));
  EXPECT_EQ(alone.peer(0), nullptr);
}

TEST_F(chunk_router_test, asks_its_own_disks_first_when_it_is_an_owner_and_last_when_not) {
  for (int i = 0; i < 3; ++i) add_node();
  const auto r = router();
  EXPECT_EQ(r->route_write(chunk_number(1)).error(), errc::no_leader);
  EXPECT_EQ(r->route_read(chunk_number(1)).places(), 1u);

  set_layout(1, {0, 1, 2}, {0, 1, 2});
  auto route = r->route_read(chunk_number(1));
  ASSERT_EQ(route.places(), 3u);
  EXPECT_FALSE(route.remote(0));
  EXPECT_TRUE(route.remote(1) && route.remote(2));
  EXPECT_EQ(&route.at(1).store, r->writer(chunk_number(1), 1));
  EXPECT_FALSE(route.may_hedge_to(1)) << "it is not reachable";

  set_layout(2, {1}, {2});
  connect(2);
  route = r->route_read(chunk_number(1));
  ASSERT_EQ(route.places(), 3u);
  EXPECT_TRUE(route.remote(0) && route.remote(1));
  EXPECT_FALSE(route.remote(2));
  EXPECT_EQ(&route.at(0).store, r->writer(chunk_number(1), 2)) << "the current owner is down";
  EXPECT_TRUE(route.may_hedge_to(0));
  EXPECT_FALSE(route.may_hedge_to(1));
  EXPECT_FALSE(route.may_hedge_to(2));

  const auto w = r->route_write(chunk_number(1));
  ASSERT_TRUE(w);
  EXPECT_EQ(w->epoch, 2u);
  EXPECT_EQ(w->route.counted, 1u);
  EXPECT_EQ(r->peer(0), nullptr);
  EXPECT_EQ(r->peer(9), nullptr);
  EXPECT_EQ(r->peer(1), r->peer(1));
}

} // namespace cairn::actors::chunk_router_test
