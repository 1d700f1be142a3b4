#include "actors/retry_policy.hpp"

#include <gtest/gtest.h>

namespace cairn::actors {

using std::chrono::milliseconds;

TEST(retry_policy, asks_a_stumbling_disk_again_after_growing_pauses_and_then_gives_up) {
  retry_policy retry{1};
  for (const auto pause : {10, 20, 40}) {
    EXPECT_EQ(retry.failed({errc::io_error, "x"}), milliseconds{pause});
    EXPECT_EQ(retry.place(), 0u);
  }
  EXPECT_FALSE(retry.failed({errc::io_error, "the last one"}));
  EXPECT_EQ(retry.reason().text, "the last one");
}

TEST(retry_policy, goes_to_the_next_place_at_once_when_the_chunk_is_not_here) {
  retry_policy retry{3};
  for (const auto code : {errc::not_found, errc::quarantined}) {
    const auto before = retry.place();
    EXPECT_EQ(retry.failed({code, "x"}), milliseconds{0});
    EXPECT_EQ(retry.place(), before + 1);
  }
  EXPECT_FALSE(retry.failed({errc::not_found, "x"}));
}

TEST(retry_policy, reports_corruption_before_late_disks_before_absence) {
  retry_policy retry{3};
  EXPECT_TRUE(retry.failed({errc::corrupt, "bits"}));
  EXPECT_TRUE(retry.failed({errc::quarantined, "x"}));
  EXPECT_FALSE(retry.failed({errc::not_found, "x"}));
  EXPECT_EQ(retry.reason(), errc::corrupt);
}

TEST(retry_policy, forgets_the_stumbles_of_a_place_that_answered_in_the_end) {
  retry_policy retry{1};
  EXPECT_TRUE(retry.failed({errc::busy, "x"}));
  EXPECT_FALSE(retry.failed({errc::not_found, "gone"}));
  EXPECT_EQ(retry.reason(), errc::not_found);
}

TEST(retry_policy, reports_a_failing_disk_before_a_busy_one) {
  retry_policy retry{1};
  EXPECT_TRUE(retry.failed({errc::io_error, "x"}));
  EXPECT_TRUE(retry.failed({errc::timeout, "x"}));
  EXPECT_TRUE(retry.failed({errc::busy, "x"}));
  EXPECT_FALSE(retry.failed({errc::busy, "x"}));
  EXPECT_EQ(retry.reason(), errc::io_error);
}

TEST(retry_policy, gives_up_at_once_when_the_node_stops) {
  retry_policy retry{3};
  EXPECT_FALSE(retry.failed({errc::stopping, "x"}));
  EXPECT_EQ(retry.reason(), errc::stopping);
}

} // namespace cairn::actors
