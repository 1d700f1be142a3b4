// Plans applied to the metadata: the commands of a plan give rows that equal the plan.
#include "cluster/layout/layout_view.hpp"

#include "storage/metadata/store.hpp"
#include "tests/cluster/layout/layouts.hpp"

namespace cairn::cluster::layout_view_test {

namespace meta = storage::metadata;

class stored_layout : public testing::Test {
protected:
  void SetUp() override {
    std::mt19937_64 draw{1};
    founding = {.id = random_uuid(draw), .name = "test", .first = random_node(draw, 100, "zone-0")};
    EXPECT_FALSE(run(founding).refused);
  }
  meta::applied_batch apply(const std::vector<meta::command>& batch) { return rows->apply(batch).value(); }
  meta::command_result run(const meta::command& c) { return apply({c}).results.at(0); }
  layout stored() { return read_layout(*rows->read().value()).value(); }

  std::unique_ptr<storage::kv_engine> engine = storage::make_memory_kv(meta::table_count);
  std::unique_ptr<meta::store> rows = meta::store::open(*engine).value();
  meta::create_cluster founding;
};

TEST_F(stored_layout, begins_as_a_cluster_of_one) {
  EXPECT_EQ(stored(), found_cluster(founding));
  const auto other = storage::make_memory_kv(meta::table_count);
  EXPECT_EQ(read_layout(*meta::store::open(*other).value()->read().value()).error(), errc::not_found);
}

TEST_F(stored_layout, follows_every_plan_and_every_move) {
  std::mt19937_64 random{5};
  for (int step = 0; step < 40; ++step) {
    const layout before = stored();
    const auto who = member_index(random() % before.members.size());
    const layout_change changes[] = {change::join{random_node(random, 100, "zone-" + std::to_string(random() % 3))},
                                     change::set_state{who, member_state::draining},
                                     change::set_state{who, member_state::active},
                                     change::set_weight{who, std::uint32_t(50 + random() % 100)},
                                     change::remove{who},
                                     change::set_zone{who, "zone-4"}};
    const auto plan = plan_change(before, changes[step < 4 ? 0 : random() % std::size(changes)]);
    if (plan && before.members.size() < 10) {
      for (const auto& result : apply(plan->commands).results) ASSERT_FALSE(result.refused) << result.refused->text;
      ASSERT_EQ(stored(), plan->after);
    }
    layout moving = stored();
    std::vector<partition_id> some;
    for (std::uint32_t p = random() % 3; p < partition_count; p += 1 + random() % 4) some.push_back(partition_id(p));
    const auto moved = run(meta::moved{.epoch = moving.epoch, .partitions = some});
    ASSERT_FALSE(moved.refused);
    EXPECT_EQ(moved.more, 0u);
    mark_moved(moving, some);
    ASSERT_EQ(stored(), moving);
    EXPECT_EQ(moved.version, moving.epoch);
  }
}

TEST_F(stored_layout, refuses_a_plan_made_from_an_older_layout) {
  std::mt19937_64 random{6};
  const layout before = stored();
  const auto first = planned(before, change::join{random_node(random)});
  const auto second = planned(before, change::join{random_node(random)});
  apply(first.commands);
  const auto late = apply(second.commands);
  EXPECT_FALSE(late.results[0].refused) << "the node is a member";
  EXPECT_EQ(*late.results[1].refused, errc::precondition_failed) << "but its targets are to be computed again";
  const auto again = planned(stored(), change::retarget{});
  for (const auto& result : apply(again.commands).results) EXPECT_FALSE(result.refused);
  EXPECT_EQ(stored(), again.after);
  EXPECT_EQ(stored().partitions[0].target.size(), 3u);
}

} // namespace cairn::cluster::layout_view_test
