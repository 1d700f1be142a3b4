// Runs on both engines.
#include "cluster/raft/raft_core.hpp"
#include "cluster/raft/raft_log.hpp"
#include "tests/base/temporary_directory.hpp"

#include <gtest/gtest.h>

namespace cairn::cluster::raft {
namespace {

class raft_log_of : public testing::TestWithParam<const char*> {
protected:
  void SetUp() override { open(); }
  void open() {
    if (std::string_view{GetParam()} == "memory") {
      if (!engine) engine = storage::make_memory_kv(raft_log_tables);
      return;
    }
    engine.reset();
    auto opened = storage::open_lmdb({.directory = directory.path(), .tables = raft_log_tables, .map_bytes = 1 << 28});
    ASSERT_TRUE(opened) << opened.error().text;
    engine = std::move(*opened);
  }
  raft_log log() { return raft_log{*engine}; }
  log_write entries(index_t first, term_t term, std::size_t count, std::size_t bytes = 3) {
    log_write w;
    w.first = first;
    for (std::size_t i = 0; i < count; ++i)
      w.entries.push_back({term, entry_kind::command, share(std::string(bytes, static_cast<char>('a' + i % 26)))});
    return w;
  }
  void write(log_write w) { ASSERT_TRUE(log().write({&w, 1})); }

  storage::temporary_directory directory;
  std::unique_ptr<storage::kv_engine> engine;
};

} // namespace

TEST_P(raft_log_of, a_new_server_has_an_empty_log_and_begins_once) {
  auto empty = log().load(0).value();
  EXPECT_EQ(empty.vote.term, 0u);
  EXPECT_TRUE(empty.entries.empty());
  ASSERT_TRUE(log().begin(raft_core::first_state(7)));
  EXPECT_EQ(log().begin(raft_core::first_state(7)).error().code, errc::invalid_argument);
  const auto first = log().load(0).value();
  ASSERT_EQ(first.entries.size(), 1u);
  EXPECT_EQ(first.entries[0].kind, entry_kind::change);
}

TEST_P(raft_log_of, entries_replace_the_log_from_their_first_on_and_survive_a_reopening) {
  ASSERT_TRUE(log().begin(raft_core::first_state(1)));
  write(entries(2, 1, 9));
  log_write w = entries(5, 3, 2);
  w.vote = vote_record{3, 2};
  write(w);
  open();
  const auto back = log().load(3).value();
  EXPECT_EQ(back.vote.term, 3u);
  EXPECT_EQ(back.vote.vote, 2u);
  ASSERT_EQ(back.entries.size(), 6u);
  EXPECT_TRUE(back.entries[0].bytes) << "a configuration's bytes are always there";
  EXPECT_FALSE(back.entries[2].bytes) << "applied";
  EXPECT_EQ(back.entries[3].term, 1u);
  EXPECT_EQ(back.entries[4].term, 3u);
  EXPECT_EQ(back.entries[5].view(), "bbb");
}

TEST_P(raft_log_of, a_compaction_keeps_what_it_was_told_and_a_snapshot_replaces_all) {
  ASSERT_TRUE(log().begin(raft_core::first_state(1)));
  write(entries(2, 1, 19));
  log_write w;
  w.compaction = compaction{{15, 1, {{{1, server_role::voter}}}, 1}, 11};
  write(w);
  auto back = log().load(0).value();
  EXPECT_EQ(back.first, 11u);
  EXPECT_EQ(back.entries.size(), 10u);
  EXPECT_EQ(back.snapshot->index, 15u);
  EXPECT_TRUE(log().read(10, 5).value().empty());
  EXPECT_EQ(log().read(11, 5).value().size(), 5u);

  log_write s;
  s.snapshot = snapshot_record{40, 4, {{{1, server_role::voter}, {2, server_role::standby}}}, 33};
  write(s);
  open();
  back = log().load(40).value();
  EXPECT_EQ(back.first, 41u);
  EXPECT_TRUE(back.entries.empty());
  EXPECT_EQ(back.snapshot->servers_index, 33u);
  EXPECT_EQ(back.snapshot->servers.servers.size(), 2u);
  write(entries(41, 5, 2));
  EXPECT_EQ(log().load(40).value().entries.size(), 2u);
}

TEST_P(raft_log_of, a_read_is_bounded_in_bytes_but_gives_at_least_one_entry) {
  ASSERT_TRUE(log().begin(raft_core::first_state(1)));
  write(entries(2, 1, 10, 1000));
  EXPECT_EQ(log().read(2, 100).value().size(), 10u);
  EXPECT_EQ(log().read(2, 4).value().size(), 4u);
  EXPECT_EQ(log().read(2, 100, 3100).value().size(), 3u);
  EXPECT_EQ(log().read(2, 100, 1).value().size(), 1u);
  EXPECT_TRUE(log().read(12, 100).value().empty());
}

INSTANTIATE_TEST_SUITE_P(engines, raft_log_of, testing::Values("memory", "lmdb"),
                         [](const auto& tested) { return std::string{tested.param}; });

} // namespace cairn::cluster::raft
