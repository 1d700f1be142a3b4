#include "cluster/layout/layout_plan.hpp"

#include "cluster/layout/shares.hpp"
#include "tests/cluster/layout/layouts.hpp"

#include <numeric>

namespace cairn::cluster::layout_plan_test {

std::size_t zones_of(const layout& l, const owner_list& owners) {
  std::set<std::string> zones;
  for (const auto n : owners) zones.insert(l.members[n].zone);
  return zones.size();
}

// Partitions that each member should own when zones do not matter.
std::vector<double> ideal_counts(const layout& l) {
  std::vector<double> weights;
  for (const member& m : l.members) weights.push_back(m.weight);
  auto shares = ideal_shares(weights, l.replicas);
  for (double& s : shares) s *= partition_count;
  return shares;
}

void expect_balanced(const layout& l, const std::string& what) {
  const auto owned = owned_partitions(l);
  const auto ideal = ideal_counts(l);
  for (std::size_t i = 0; i < owned.size(); ++i)
    EXPECT_NEAR(owned[i], ideal[i], ideal[i] * 0.10) << what << " member " << i;
}

TEST(layout_plan, gives_every_partition_as_many_distinct_owners_as_there_are_replicas_or_members) {
  for (const std::size_t count : {1, 2, 3, 4, 9}) {
    for (const std::uint8_t replicas : {1, 2, 3, 8}) {
      const layout l = cluster_of(equal_weights(count), 2, 5, replicas);
      for (const auto& owners : l.partitions) {
        ASSERT_EQ(owners.target.size(), std::min<std::size_t>(count, replicas));
        ASSERT_EQ(std::set<member_index>(owners.target.begin(), owners.target.end()).size(), owners.target.size());
      }
    }
  }
}

TEST(layout_plan, spreads_copies_within_ten_percent_of_the_weights_up_to_50_nodes) {
  for (const std::size_t count : {3, 4, 5, 10, 20, 35, 50})
    expect_balanced(cluster_of(equal_weights(count), 1, count), std::to_string(count) + " equal");
  expect_balanced(cluster_of({100, 200, 300, 400, 600}), "mixed weights");
  expect_balanced(cluster_of({100, 100, 100, 100, 100, 100, 100, 100, 100, 200}), "one heavier");
  expect_balanced(cluster_of({8000, 8000, 8000, 4000, 4000, 4000, 4000, 2000, 2000, 12000}), "capacities");
}

TEST(layout_plan, spreads_copies_by_weight_over_many_zones) {
  std::vector<std::uint32_t> weights;
  for (std::uint32_t i = 0; i < 24; ++i) weights.push_back(100 + 100 * (i % 4 == 0));
  expect_balanced(cluster_of(weights, 8), "8 zones");
  expect_balanced(cluster_of(weights, 5), "5 zones");
}

TEST(layout_plan, puts_replicas_into_distinct_zones_as_far_as_there_are_enough) {
  for (const std::size_t zones : {1, 2, 3, 5}) {
    const layout l = cluster_of(equal_weights(11), zones, zones);
    for (const auto& owners : l.partitions) ASSERT_EQ(zones_of(l, owners.target), std::min<std::size_t>(zones, 3));
  }
  // One zone of a single node: with three zones it has to hold everything.
  layout uneven = cluster_of(equal_weights(7), 1);
  uneven.members[0].zone = "a";
  uneven.members[1].zone = uneven.members[2].zone = "b";
  uneven = planned(uneven, change::retarget{}).after;
  for (const auto& owners : uneven.partitions) ASSERT_EQ(zones_of(uneven, owners.target), 3u);
  EXPECT_EQ(owned_partitions(uneven)[0], partition_count);
}

TEST(layout_plan, moves_within_ten_percent_of_the_least_when_a_node_joins_or_leaves) {
  struct {
    std::vector<std::uint32_t> weights;
    std::size_t zones;
    std::uint32_t newcomer;
    double allowed = 1.10;
  } const cases[] = {{equal_weights(3), 1, 100},
                     {equal_weights(5), 1, 100},
                     {equal_weights(10), 1, 100},
                     {equal_weights(49), 1, 100},
                     {equal_weights(9), 3, 100},
                     {equal_weights(12), 12, 100},
                     {equal_weights(9), 1, 200},
                     {{100, 200, 100, 200, 100, 200, 300}, 1, 100},
                     // A zone that outgrows the others also gets partitions for its older members.
                     {equal_weights(20), 5, 100, 1.30}};
  for (const auto& [weights, zones, newcomer, allowed] : cases) {
    SCOPED_TRACE(std::to_string(weights.size()) + " members in " + std::to_string(zones) + " zones");
    std::mt19937_64 draw{11};
    const layout before = cluster_of(weights, zones);
    const auto grown = planned(before, change::join{random_node(draw, newcomer, "zone-0")}).after;
    const auto joined = owned_partitions(grown).back();
    EXPECT_LE(double(copies_moved(before, grown)), joined * allowed);

    layout settled = grown;
    move_everything(settled);
    const auto leaver = member_index(weights.size());
    const auto shrunk = planned(settled, change::set_state{leaver, member_state::draining}).after;
    EXPECT_LE(double(copies_moved(settled, shrunk)), joined * allowed);
    EXPECT_EQ(owned_partitions(shrunk)[leaver], 0u);
    // And it is as it was before the node came.
    EXPECT_EQ(copies_moved(before, shrunk), 0u);
  }
}

TEST(layout_plan, changes_targets_only_until_they_are_moved) {
  std::mt19937_64 random{3};
  layout l = cluster_of(equal_weights(6), 3);
  for (int step = 0; step < 60; ++step) {
    const auto who = member_index(random() % l.members.size());
    const layout_change changes[] = {change::join{random_node(random, 100, "zone-1")},
                                     change::set_state{who, member_state::draining},
                                     change::set_state{who, member_state::out},
                                     change::set_state{who, member_state::active},
                                     change::set_weight{who, std::uint32_t(50 + random() % 100)},
                                     change::set_zone{who, "zone-" + std::to_string(random() % 4)},
                                     change::remove{who},
                                     change::retarget{}};
    const std::size_t pick = random() % std::size(changes);
    if (pick == 0 && l.members.size() > 12) continue;
    const auto plan = plan_change(l, changes[pick]);
    if (!plan) {
      EXPECT_EQ(plan.error(), errc::invalid_argument);
      continue;
    }
    EXPECT_EQ(plan->after.epoch, l.epoch + plan->commands.size());
    for (std::size_t p = 0; p < partition_count; ++p) {
      const auto &before = l.partitions[p], &after = plan->after.partitions[p];
      ASSERT_EQ(after.current, before.current);
      ASSERT_EQ(after.epoch, after.target == before.target ? before.epoch : plan->after.epoch);
      for (const auto n : after.target) ASSERT_EQ(plan->after.members[n].state, member_state::active);
    }
    l = plan->after;
    if (step % 7 == 6) move_everything(l);
  }
}

TEST(layout_plan, is_the_same_each_time_and_whatever_happened_before) {
  const layout l = cluster_of({100, 150, 200, 100, 300, 100}, 4);
  EXPECT_EQ(compute_targets(l), compute_targets(l));
  std::mt19937_64 draw{17};
  const auto join = change::join{random_node(draw, 100, "zone-2")};
  EXPECT_EQ(planned(l, join).after, planned(l, join).after);
  layout detour = planned(l, join).after;
  detour = planned(detour, change::set_weight{2, 500}).after;
  detour = planned(detour, change::set_weight{2, 200}).after;
  detour = planned(detour, change::set_state{6, member_state::out}).after;
  for (std::size_t p = 0; p < partition_count; ++p) {
    ASSERT_EQ(detour.partitions[p].target, l.partitions[p].target);
    ASSERT_EQ(detour.partitions[p].current, l.partitions[p].current) << "a change taken back moves nothing";
  }
}

TEST(layout_plan, is_empty_when_nothing_changes) {
  const layout l = cluster_of(equal_weights(4));
  EXPECT_TRUE(planned(l, change::retarget{}).commands.empty());
  EXPECT_TRUE(planned(l, change::set_weight{1, 100}).commands.empty());
  EXPECT_TRUE(planned(l, change::set_state{1, member_state::active}).commands.empty());
  EXPECT_EQ(planned(l, change::retarget{}).after, l);
  // Twice the weight all round is the same share for each.
  layout heavier = l;
  for (member_index n = 0; n < 3; ++n) heavier = planned(heavier, change::set_weight{n, 200}).after;
  const auto last = planned(heavier, change::set_weight{3, 200});
  EXPECT_EQ(copies_moved(l, last.after), 0u);
}

TEST(layout_plan, gives_nothing_to_members_without_a_weight) {
  std::mt19937_64 draw{29};
  const layout l = cluster_of({100, 200, 100, 300}, 2);
  const auto joined = planned(l, change::join{random_node(draw, 0, "zone-9")});
  EXPECT_EQ(joined.commands.size(), 1u) << "a zone for one node moves nothing";
  EXPECT_EQ(copies_moved(l, joined.after), 0u);

  // One that loses its weight is emptied as if it were drained, and comes back to what it had.
  const auto emptied = planned(l, change::set_weight{1, 0}).after;
  EXPECT_EQ(owned_partitions(emptied)[1], 0u);
  const auto drained = planned(l, change::set_state{1, member_state::draining}).after;
  for (std::size_t p = 0; p < partition_count; ++p)
    ASSERT_EQ(emptied.partitions[p].target, drained.partitions[p].target);
  EXPECT_EQ(copies_moved(l, planned(emptied, change::set_weight{1, 200}).after), 0u);

  layout few = cluster_of({100, 100}, 1);
  few = planned(few, change::set_weight{0, 0}).after;
  EXPECT_EQ(plan_change(few, change::set_weight{1, 0}).error(), errc::invalid_argument);
  EXPECT_EQ(plan_change(few, change::set_state{1, member_state::out}).error(), errc::invalid_argument);
  for (const auto& owners : few.partitions) ASSERT_EQ(owners.target, (owner_list{1}));
  move_everything(few);
  EXPECT_TRUE(plan_change(few, change::remove{0})) << "it owns nothing any more";
}

TEST(layout_plan, refuses_invalid_changes) {
  std::mt19937_64 draw{23};
  layout l = cluster_of(equal_weights(3));
  const auto refused = [&](const layout_change& c) { return plan_change(l, c).error().code; };
  auto known = random_node(draw);
  known.id = l.members[1].id;
  EXPECT_EQ(refused(change::join{known}), errc::invalid_argument);
  const auto too_heavy = storage::metadata::node_weight_max + 1;
  EXPECT_EQ(refused(change::join{random_node(draw, too_heavy)}), errc::invalid_argument);
  EXPECT_EQ(refused(change::set_weight{1, too_heavy}), errc::invalid_argument);
  EXPECT_EQ(refused(change::set_weight{3, 5}), errc::invalid_argument);
  EXPECT_EQ(refused(change::set_state{1, member_state::removed}), errc::invalid_argument);
  EXPECT_EQ(refused(change::remove{1}), errc::invalid_argument) << "it owns partitions";
  EXPECT_EQ(refused(change::remove{9}), errc::invalid_argument);

  l = planned(l, change::set_state{1, member_state::draining}).after;
  EXPECT_EQ(refused(change::remove{1}), errc::invalid_argument) << "until they are moved";
  move_everything(l);
  l = planned(l, change::remove{1}).after;
  EXPECT_EQ(refused(change::set_state{1, member_state::active}), errc::invalid_argument);
  EXPECT_EQ(refused(change::join{known}), errc::invalid_argument) << "a removed node stays removed";
  l = planned(l, change::set_state{0, member_state::out}).after;
  EXPECT_EQ(refused(change::set_state{2, member_state::draining}), errc::invalid_argument) << "the last active one";
}

} // namespace cairn::cluster::layout_plan_test
