// Starts that something interrupts, or that find a disk without room.
#include "tests/cluster/raft/log/log_disk.hpp"

namespace cairn::cluster::raft::raft_log_start_test {

// A first start that is interrupted at any of its operations, and again.
TEST(raft_log_start, begins_after_a_beginning_that_was_interrupted) {
  const auto changes = [](disk_operation o) { return o != disk_operation::read && o != disk_operation::list; };
  const auto first = raft_core::first_state(1, 40);
  bool interrupted = true;
  for (std::uint64_t nth = 1; interrupted; ++nth) {
    interrupted = false;
    log_disk disk{nth};
    for (int attempt = 0; attempt < 2; ++attempt) {
      disk.open();
      disk.fail_at(nth, errc::io_error, changes);
      const auto begun = disk.log->begin(first);
      interrupted = interrupted || (!begun && begun.error() == errc::io_error);
      disk.lose_power();
    }
    const auto begun = disk.open().begin(first);
    ASSERT_TRUE(begun || begun.error() == errc::invalid_argument) << nth << ": " << to_string(begun.error());
    ASSERT_TRUE(disk.write(entries(41, 1, 2))) << nth;
    const auto back = disk.load(40);
    ASSERT_TRUE(back) << nth << ": " << to_string(back.error());
    ASSERT_TRUE(back->snapshot) << nth;
    EXPECT_EQ(back->snapshot->index, 40u) << nth;
    EXPECT_EQ(back->first, 41u) << nth;
    EXPECT_EQ(back->entries.size(), 2u) << nth;
    EXPECT_EQ(back->vote.term, first.vote.term) << nth;
  }
}

TEST(raft_log_start, succeeds_on_a_full_disk_behind_a_write_that_was_torn) {
  log_disk disk;
  ASSERT_TRUE(disk.open().begin(raft_core::first_state(1)));
  ASSERT_TRUE(disk.write(entries(2, 1, 3)));
  ASSERT_TRUE(disk.write(entries(5, 1, 2)));
  disk.flip("0000000000000001.seg", disk.log->segments()->back().end - 4096 + 40);
  disk.fail_at(1, errc::no_space, [](auto o) { return o == disk_operation::preallocate; });
  const auto cut = disk.load();
  ASSERT_TRUE(cut) << to_string(cut.error());
  EXPECT_EQ(cut->entries.size(), 4u);
  EXPECT_EQ(disk.write(entries(5, 2, 1)).error(), errc::no_space);
  disk.files.set_fault({});
  ASSERT_EQ(disk.log->load(0)->entries.size(), 4u);
  ASSERT_TRUE(disk.write(entries(5, 2, 2)));
  const auto back = disk.load();
  ASSERT_EQ(back->entries.size(), 6u);
  EXPECT_EQ(back->entries.back().term, 2u);
}

} // namespace cairn::cluster::raft::raft_log_start_test
