#include "cli/transfer/set_progress.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::set_progress_test {

TEST(set_progress, totals_that_still_grow_are_marked) {
  set_counts counts;
  counts.files_found = 340, counts.transferred = 12, counts.bytes_found = 4 << 20, counts.bytes = 1 << 20;
  EXPECT_EQ(set_line(counts, 1 << 20, 200), "12/340+ files  1.0 MiB/4.0 MiB+  1.0 MiB/s");
  counts.listed_all = true;
  counts.failed = 2;
  EXPECT_EQ(set_line(counts, 1 << 20, 200), "12/340 files  1.0 MiB/4.0 MiB  1.0 MiB/s  ETA 0:03  2 failed");
  EXPECT_EQ(set_line(counts, 1 << 20, 40).size(), 40U);
}

TEST(set_progress, the_summary_names_what_there_was) {
  set_counts counts;
  counts.transferred = 1, counts.bytes = 2048;
  EXPECT_EQ(set_summary(counts), "1 file copied (2.0 KiB), 0 failed");
  counts.unchanged = 3, counts.removed = 4, counts.skipped = 5, counts.failed = 6, counts.unproven = 1;
  EXPECT_EQ(set_summary(counts), "1 file copied (2.0 KiB), 3 unchanged, 4 deleted, 5 skipped, 1 without a checksum to "
                                 "prove them, 6 failed");
}

TEST(set_progress, a_run_of_lost_connections_means_an_unreachable_server) {
  set_progress progress({false, false});
  for (int i = 0; i < 3; ++i) progress.failed({errc::connection_lost, "a"});
  EXPECT_FALSE(progress.server_unreachable(2));
  progress.transferred("b");
  for (int i = 0; i < 3; ++i) progress.failed({errc::timeout, "a"});
  progress.failed({errc::io_error, "a"});
  progress.failed({errc::timeout, "a"});
  EXPECT_FALSE(progress.server_unreachable(2)) << "it answered in between";
  for (int i = 0; i < 3; ++i) progress.failed({errc::timeout, "a"});
  EXPECT_TRUE(progress.server_unreachable(2));
}

} // namespace cairn::cli::set_progress_test
