// What a damaged member does with its log when another member's state takes the place of its own.
#include "actors/metadata/log/state_repair.hpp"
#include "storage/metadata/read/dump.hpp"
#include "storage/metadata/store.hpp"
#include "tests/base/seeded_random.hpp"
#include "tests/base/temporary_directory.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::state_repair_test {
namespace meta = storage::metadata;
namespace raft = cluster::raft;

raft::entry entry_of(raft::term_t term) {
  return {term, raft::entry_kind::command, raft::share("command")};
}

raft::snapshot_record record_of(raft::index_t index, raft::term_t term) {
  raft::snapshot_record r;
  r.index = index;
  r.term = term;
  r.servers = {{{1, raft::server_role::voter}}};
  r.servers_index = 1;
  return r;
}

// Entries `first` to `last` of term 3, behind a snapshot at `snapshot`.
raft::stored_state log_of(raft::index_t snapshot, raft::index_t first, raft::index_t last) {
  raft::stored_state s;
  if (snapshot != 0) s.snapshot = record_of(snapshot, 2);
  s.first = first;
  for (auto i = first; i <= last; ++i) s.entries.push_back(entry_of(3));
  return s;
}

// A leader of so many voters, of whom so many others are healthy.
repair_view leader_of(std::size_t voters, std::size_t healthy, std::chrono::milliseconds waited = {}) {
  return {true, true, voters, healthy, healthy > 0, waited};
}

TEST(leaves_for_repair, at_once_when_the_others_have_a_majority_without_it) {
  for (const auto& v : {leader_of(3, 2), leader_of(5, 3), leader_of(4, 3), repair_view{.has_leader = true}}) {
    EXPECT_TRUE(is_dispensable(v));
    EXPECT_TRUE(leaves_for_repair(v));
  }
}

TEST(leaves_for_repair, later_when_they_have_none_but_one_of_them_has_the_state) {
  auto sole = leader_of(1, 0);
  sole.has_source = true; // a standby
  for (auto v : {sole, leader_of(2, 1), leader_of(3, 1), leader_of(4, 2), leader_of(5, 2)}) {
    EXPECT_FALSE(is_dispensable(v));
    EXPECT_FALSE(leaves_for_repair(v)) << "voters may come back, standbys be promoted";
    v.waited = repair_patience;
    EXPECT_TRUE(leaves_for_repair(v)) << "they may never, because of the damage";
  }
}

TEST(leaves_for_repair, never_without_another_copy_of_the_state_or_without_a_leader) {
  EXPECT_FALSE(leaves_for_repair(leader_of(3, 0, repair_patience * 100)));
  EXPECT_FALSE(leaves_for_repair(leader_of(1, 0, repair_patience * 100)));
  EXPECT_FALSE(leaves_for_repair({.voters = 3, .waited = repair_patience * 100}));
}

TEST(plan_repair, keeps_a_log_that_has_the_states_last_entry_and_what_follows_it) {
  for (const raft::index_t at : {11u, 15u, 20u})
    EXPECT_EQ(plan_repair(log_of(10, 11, 20), record_of(at, 3)).value(), log_before_state::keeps) << at;
  EXPECT_EQ(plan_repair(log_of(0, 1, 20), record_of(7, 3)).value(), log_before_state::keeps);
  EXPECT_EQ(plan_repair(log_of(10, 5, 20), record_of(10, 2)).value(), log_before_state::keeps);
  EXPECT_EQ(plan_repair(log_of(10, 11, 10), record_of(10, 2)).value(), log_before_state::keeps);
}

TEST(plan_repair, begins_a_log_anew_that_ends_before_the_state_or_differs_from_it) {
  EXPECT_EQ(plan_repair(log_of(10, 11, 20), record_of(21, 3)).value(), log_before_state::restarts);
  EXPECT_EQ(plan_repair(log_of(10, 11, 20), record_of(15, 4)).value(), log_before_state::restarts);
  EXPECT_EQ(plan_repair(log_of(0, 1, 0), record_of(1, 1)).value(), log_before_state::restarts);
}

TEST(plan_repair, refuses_a_state_that_is_older_than_the_log) {
  EXPECT_EQ(plan_repair(log_of(10, 11, 20), record_of(9, 2)).error(), errc::busy);
  EXPECT_EQ(plan_repair(log_of(10, 5, 20), record_of(7, 3)).error(), errc::busy);
}

class damaged_member : public testing::Test {
protected:
  void SetUp() override {
    const auto source = storage::make_memory_kv(meta::table_count);
    const auto store = meta::store::open(*source).value();
    for (int i = 1; i <= 15; ++i) ASSERT_TRUE(store->apply({}));
    const auto reader = source->begin_read().value();
    ASSERT_TRUE(meta::write_dump(*reader, meta::default_group, files, directory.path() + "/staged"));
    // What is there is none of the metadata's rows.
    auto writer = state->begin_write().value();
    writer->put(0, "rubbish", "more of it");
    ASSERT_TRUE(writer->commit());
  }
  void begin_log(raft::index_t last) {
    auto first = log_of(10, 11, last);
    first.vote = {7, 2};
    ASSERT_TRUE(log.begin(first));
  }
  result<void> repair(const raft::snapshot_record& record) {
    return repair_state({.engine = state.get(), .files = &files, .folder = directory.path()}, log, record);
  }
  raft::index_t applied() const { return meta::store::open(*state).value()->read().value()->applied(); }

  temporary_directory directory;
  file_system& files = posix_file_system();
  std::unique_ptr<storage::kv_engine> state = storage::make_memory_kv(meta::table_count);
  seeded_random random{1};
  raft::raft_log log{files, directory.path() + "/log", random};
};

TEST_F(damaged_member, has_the_fetched_state_and_every_entry_that_it_acknowledged_behind_it) {
  begin_log(20);
  ASSERT_TRUE(repair(record_of(15, 3)));
  EXPECT_EQ(applied(), 15u);
  EXPECT_EQ(state->begin_read().value()->get(0, "rubbish"), std::nullopt);
  const auto stored = log.load(0).value();
  EXPECT_EQ(stored.vote.term, 7u);
  EXPECT_EQ(stored.vote.vote, 2u);
  EXPECT_EQ(stored.snapshot->index, 10u);
  EXPECT_EQ(stored.first + stored.entries.size(), 21u);
}

TEST_F(damaged_member, whose_log_ends_before_the_state_begins_it_there_and_keeps_its_vote) {
  begin_log(12);
  ASSERT_TRUE(repair(record_of(15, 3)));
  EXPECT_EQ(applied(), 15u);
  const auto stored = log.load(0).value();
  EXPECT_EQ(stored.vote.term, 7u);
  EXPECT_EQ(stored.vote.vote, 2u);
  EXPECT_EQ(stored.snapshot->index, 15u);
  EXPECT_EQ(stored.first, 16u);
  EXPECT_TRUE(stored.entries.empty());
}

TEST_F(damaged_member, keeps_log_and_state_as_they_are_when_the_staged_state_is_another_one_or_is_damaged) {
  begin_log(20);
  EXPECT_FALSE(repair(record_of(14, 3)));
  EXPECT_EQ(state->begin_read().value()->get(0, "rubbish"), "more of it");
  {
    const auto file = files.open(directory.path() + "/staged", open_mode::read_write).value();
    const std::string bad = "x";
    const bytes_view bytes = std::as_bytes(std::span{bad});
    ASSERT_TRUE(file->write(40, std::span{&bytes, 1}));
  }
  EXPECT_FALSE(repair(record_of(15, 3)));
  EXPECT_EQ(state->begin_read().value()->get(0, "rubbish"), "more of it");
  EXPECT_EQ(log.load(0).value().first + log.load(0).value().entries.size(), 21u);
}

} // namespace cairn::actors::state_repair_test
