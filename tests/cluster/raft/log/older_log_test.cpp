// Over real files, because LMDB needs them.
#include "cluster/raft/log/older_log.hpp"

#include "cluster/raft/log/log_marker.hpp"
#include "cluster/raft/raft_core.hpp"
#include "cluster/raft/raft_message.hpp"
#include "tests/base/seeded_random.hpp"
#include "tests/base/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace cairn::cluster::raft::older_log_test {
namespace fs = std::filesystem;

// As older builds wrote it.
void write_older_log(const std::string& directory, const stored_state& s) {
  auto engine = storage::open_lmdb({.directory = directory, .tables = older_log_tables}).value();
  auto kv = engine->begin_write().value();
  byte_writer record;
  record.u8(1).varint(s.vote.term).varint(s.vote.vote).varint(s.first).boolean(s.snapshot.has_value());
  if (s.snapshot) record.varint(s.snapshot->index).varint(s.snapshot->term).varint(s.snapshot->servers_index);
  if (s.snapshot) record.string(encode(s.snapshot->servers));
  kv->put(0, "log", record.view());
  for (std::size_t i = 0; i < s.entries.size() + 2; ++i) {
    const auto index =
        s.first + i - std::min<index_t>(2, s.first); // some rows before `first`, as compaction leaves them
    const auto& e = s.entries[index < s.first ? 0 : std::min<std::size_t>(index - s.first, s.entries.size() - 1)];
    if (index == 0 || index >= s.first + s.entries.size()) continue;
    byte_writer row;
    row.u8(1).u8(std::uint8_t(e.kind)).varint(e.term).raw(e.view());
    kv->put(1, byte_writer{8}.u64(index).view(), row.view());
  }
  ASSERT_TRUE(kv->commit());
}

stored_state older_state() {
  stored_state s;
  s.vote = {7, 2};
  s.first = 11;
  s.snapshot = snapshot_record{20, 5, {{{1, server_role::voter}, {2, server_role::standby}}}, 3};
  for (index_t i = 11; i <= 60; ++i)
    s.entries.push_back({i < 30 ? term_t{5} : term_t{6}, i == 40 ? entry_kind::barrier : entry_kind::command,
                         share(i == 40 ? "" : "entry " + std::to_string(i))});
  return s;
}

class older_log : public testing::Test {
protected:
  result<void> convert() { return convert_older_log(posix_file_system(), path(), random); }
  result<stored_state> load() { return raft_log(posix_file_system(), path(), random).load(0); }
  std::string path() const { return directory.path() + "/log"; }
  void expect_converted() {
    const auto now = load();
    ASSERT_TRUE(now) << to_string(now.error());
    const auto was = older_state();
    EXPECT_EQ(now->vote.term, was.vote.term);
    EXPECT_EQ(now->vote.vote, was.vote.vote);
    EXPECT_EQ(now->first, was.first);
    EXPECT_EQ(now->snapshot->index, was.snapshot->index);
    EXPECT_EQ(now->snapshot->servers, was.snapshot->servers);
    ASSERT_EQ(now->entries.size(), was.entries.size());
    for (std::size_t i = 0; i < was.entries.size(); ++i) {
      EXPECT_EQ(now->entries[i].view(), was.entries[i].view());
      EXPECT_EQ(now->entries[i].term, was.entries[i].term);
      EXPECT_EQ(now->entries[i].kind, was.entries[i].kind);
    }
  }
  temporary_directory directory;
  seeded_random random{1};
};

TEST_F(older_log, is_not_used_before_it_was_converted_and_converted_once) {
  write_older_log(path(), older_state());
  EXPECT_EQ(load().error(), errc::unsupported);
  ASSERT_TRUE(convert());
  expect_converted();
  raft_log log{posix_file_system(), path(), random};
  log_write w;
  w.first = 61;
  w.entries.push_back({7, entry_kind::command, share("later")});
  ASSERT_TRUE(log.write({&w, 1}));
  ASSERT_TRUE(convert()) << "nothing is left to convert";
  EXPECT_EQ(load()->entries.size(), older_state().entries.size() + 1);
}

TEST_F(older_log, of_a_node_that_never_got_an_entry_is_converted_too) {
  ASSERT_TRUE(storage::open_lmdb({.directory = path(), .tables = older_log_tables}));
  ASSERT_TRUE(convert());
  EXPECT_TRUE(load()->entries.empty());
  EXPECT_EQ(load()->vote.term, 0u);
}

TEST_F(older_log, counts_until_the_conversion_is_complete) {
  write_older_log(path(), older_state());
  fs::copy(path(), directory.path() + "/kept");
  ASSERT_TRUE(convert());
  // As a crash before the end leaves it: new files, whole or not, beside the older log.
  for (const char* torn : {"vote", "0000000000000001.seg", ""}) {
    fs::copy_file(directory.path() + "/kept/data.mdb", path() + "/data.mdb", fs::copy_options::overwrite_existing);
    if (*torn) fs::resize_file(path() + "/" + torn, 5000);
    EXPECT_EQ(load().error(), errc::unsupported);
    ASSERT_TRUE(convert());
    expect_converted();
  }
}

TEST_F(older_log, refuses_an_older_build_after_the_conversion) {
  write_older_log(path(), older_state());
  ASSERT_TRUE(convert());
  const auto older_build = storage::open_lmdb({.directory = path(), .tables = older_log_tables});
  ASSERT_FALSE(older_build);
  EXPECT_EQ(older_build.error(), errc::unsupported) << to_string(older_build.error());
  expect_converted();
}

TEST_F(older_log, refuses_an_older_build_in_a_new_directory) {
  raft_log log{posix_file_system(), path(), random};
  ASSERT_TRUE(log.begin(raft_core::first_state(1)));
  EXPECT_EQ(storage::open_lmdb({.directory = path(), .tables = older_log_tables}).error(), errc::unsupported);
  EXPECT_EQ(load()->entries.size(), 1u);
}

TEST_F(older_log, a_damaged_marker_is_replaced_and_stands_for_no_new_log) {
  const auto marker = path() + "/data.mdb";
  raft_log log{posix_file_system(), path(), random};
  ASSERT_TRUE(log.begin(raft_core::first_state(1)));
  const auto size = std::streamoff(fs::file_size(marker));
  for (const std::streamoff at : {std::streamoff{0}, std::streamoff{20}, size - 1}) {
    std::fstream{marker, std::ios::in | std::ios::out | std::ios::binary}.seekp(at).put('\x5a');
    EXPECT_EQ(read_log_marker(posix_file_system(), path()).value(), log_marker::damaged) << at;
    EXPECT_TRUE(convert());
    EXPECT_EQ(load()->entries.size(), 1u) << at;
    EXPECT_EQ(read_log_marker(posix_file_system(), path()).value(), log_marker::present) << at;
  }
  for (const std::uintmax_t left : {std::uintmax_t{0}, std::uintmax_t{100}}) {
    fs::resize_file(marker, left);
    EXPECT_TRUE(convert());
    EXPECT_EQ(load()->entries.size(), 1u) << left;
  }
  fs::resize_file(marker, 0);
  fs::remove(path() + "/vote");
  EXPECT_TRUE(convert());
  EXPECT_EQ(load().error(), errc::corrupt);
}

TEST_F(older_log, that_is_damaged_stays_as_it_is) {
  write_older_log(path(), older_state());
  {
    std::fstream file{path() + "/data.mdb", std::ios::in | std::ios::out | std::ios::binary};
    std::string bytes(std::size_t(fs::file_size(path() + "/data.mdb")), '\0');
    file.read(bytes.data(), std::streamsize(bytes.size()));
    for (auto at = bytes.find("entry 33"); at != std::string::npos; at = bytes.find("entry 33", at + 1)) {
      file.seekp(std::streamoff(at));
      file.put('E');
    }
  }
  EXPECT_EQ(convert().error(), errc::corrupt);
  EXPECT_EQ(read_log_marker(posix_file_system(), path()).value(), log_marker::older_log);
}

} // namespace cairn::cluster::raft::older_log_test
