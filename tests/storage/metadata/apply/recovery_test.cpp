#include "storage/metadata/apply/recovery.hpp"

#include "tests/storage/metadata/failing_engine.hpp"
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::recovery_test {

create_cluster founding(std::uint8_t id, std::uint8_t first) {
  return {.id = {id},
          .name = "new",
          .replicas = 3,
          .now = 5,
          .first = {.id = {first}, .address = "new:1", .weight = 100, .incarnation = 9}};
}

class recovery_test : public store_test {
protected:
  void found_three() {
    auto c = founding(1, 10);
    c.name = "old";
    run(c);
    for (const std::uint8_t n : {11, 12}) run(add_node{{.id = {n}, .address = "old:1", .weight = 100}});
  }
  result<refounded> refound(const create_cluster& c) {
    auto writer = engine->begin_write().value();
    auto done = refound_cluster(*writer, default_group, c);
    if (!done) return done;
    if (auto committed = writer->commit(); !committed) return committed.error();
    return done;
  }
};

TEST_F(recovery_test, a_survivor_keeps_its_number_and_the_cluster_gets_another_id) {
  found_three();
  run(note_down{.node = 2, .now = 77});
  const auto before = read()->cluster().value();
  const auto applied = read()->applied();
  const auto now = refound(founding(2, 12)).value();
  EXPECT_EQ(now.self, 2);
  EXPECT_EQ(now.applied, applied + 1);
  EXPECT_EQ(read()->applied(), now.applied);
  const auto after = read()->cluster().value();
  EXPECT_EQ(after.id, uuid{2});
  EXPECT_EQ(after.name, "new");
  EXPECT_GT(after.epoch, before.epoch);
  EXPECT_EQ(after.nodes, 3);
  const auto nodes = read()->nodes().value();
  ASSERT_EQ(nodes.size(), 3u);
  EXPECT_EQ(nodes[2].address, "new:1");
  EXPECT_EQ(nodes[2].down_since, 0);
  EXPECT_EQ(nodes[0].address, "new:1");
  EXPECT_EQ(nodes[1].address, "old:1");
  EXPECT_EQ(nodes[0].state, node_state::out);
  EXPECT_EQ(nodes[1].state, node_state::out);
  EXPECT_EQ(nodes[2].state, node_state::active);
}

TEST_F(recovery_test, a_node_that_the_state_does_not_know_is_added) {
  found_three();
  EXPECT_EQ(refound(founding(2, 50))->self, 3);
  EXPECT_EQ(read()->nodes().value().size(), 4u);
}

TEST_F(recovery_test, a_node_that_is_out_becomes_active_and_a_removed_one_is_refused) {
  found_three();
  run(set_node{.node = 1, .state = node_state::out});
  EXPECT_EQ(refound(founding(2, 11))->self, 1);
  EXPECT_EQ(read()->nodes().value()[1].state, node_state::active);
  run(remove_node{.node = 2});
  const auto before = dump(*engine);
  EXPECT_EQ(refound(founding(3, 12)).error(), errc::precondition_failed);
  EXPECT_EQ(dump(*engine), before);
}

TEST_F(recovery_test, a_survivor_that_was_drained_or_had_no_weight_holds_chunks_again) {
  found_three();
  run(set_node{.node = 0, .state = node_state::draining});
  run(set_node{.node = 2, .weight = 0, .state = node_state::draining});
  ASSERT_TRUE(refound(founding(2, 12)));
  const auto nodes = read()->nodes().value();
  EXPECT_EQ(nodes[2].state, node_state::active);
  EXPECT_EQ(nodes[2].weight, 100u);
  EXPECT_EQ(nodes[1].state, node_state::out);
  EXPECT_EQ(nodes[0].state, node_state::draining) << "as its operator left it";
}

TEST_F(recovery_test, the_state_of_a_standalone_node_founds_a_cluster) {
  EXPECT_EQ(refound(founding(2, 10))->self, 0);
  EXPECT_EQ(read()->cluster()->id, uuid{2});
  EXPECT_TRUE(read()->owners(255));
}

TEST_F(recovery_test, deletion_is_held_until_it_is_released_and_stays_so_over_a_dump) {
  found_three();
  EXPECT_FALSE(read()->deletions_held());
  ASSERT_TRUE(refound(founding(2, 10)));
  EXPECT_TRUE(read()->deletions_held());
  EXPECT_EQ(refused(hold_deletions{.held = true}), std::nullopt);
  EXPECT_TRUE(read()->deletions_held());
  EXPECT_EQ(refused(hold_deletions{.held = false}), std::nullopt);
  EXPECT_FALSE(read()->deletions_held());
  EXPECT_EQ(refused(hold_deletions{.held = false}), std::nullopt);
}

TEST_F(recovery_test, ids_that_the_lost_state_may_have_assigned_are_not_assigned_again) {
  found_three();
  const auto before = begin(uuid{5}, 1);
  ASSERT_TRUE(refound(founding(2, 10)));
  EXPECT_GT(begin(uuid{6}, 1), before + (1ull << 31));
}

TEST_F(recovery_test, all_sessions_end) {
  found_three();
  begin(uuid{11}, 1);
  ASSERT_TRUE(refound(founding(2, 10)));
  for (const auto& row : read()->sessions().value()) EXPECT_TRUE(row.ended) << row.id;
  EXPECT_EQ(refused(small("late")), errc::session_ended);
}

TEST_F(recovery_test, may_be_done_again) {
  found_three();
  ASSERT_TRUE(refound(founding(2, 10)));
  EXPECT_EQ(refound(founding(3, 10))->self, 0);
  EXPECT_EQ(read()->cluster()->id, uuid{3});
}

TEST_F(recovery_test, an_engine_that_fails_at_any_operation_changes_nothing) {
  for (std::uint64_t n = 1;; ++n) {
    failing_engine failing;
    {
      const auto rows = store::open(failing).value();
      const command first[] = {founding(1, 10)};
      ASSERT_TRUE(rows->apply(first));
    }
    const auto before = dump(failing.inner());
    failing.left = n;
    auto writer = failing.begin_write();
    result<refounded> done = error{errc::io_error, ""};
    if (writer) done = refound_cluster(**writer, default_group, founding(2, 10));
    result<void> committed = error{errc::io_error, ""};
    if (done) committed = (*writer)->commit();
    if (committed) {
      EXPECT_GT(n, 5u);
      return;
    }
    writer = error{errc::io_error, ""};
    EXPECT_EQ(dump(failing.inner()), before) << n;
    ASSERT_LT(n, 1000u);
  }
}

} // namespace cairn::storage::metadata::recovery_test
