#include "actors/chunks/retry_policy.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::retry_policy_test {

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

TEST(retry_policy, asks_the_next_replica_at_once_whatever_failed) {
  retry_policy retry{3, retry_policy::kind::replicas};
  EXPECT_EQ(retry.alternative(), 1u);
  EXPECT_EQ(retry.failed({errc::connection_lost, "x"}), milliseconds{0});
  EXPECT_EQ(retry.place(), 1u);
  EXPECT_EQ(retry.failed({errc::busy, "x"}), milliseconds{0});
  EXPECT_EQ(retry.place(), 2u);
  EXPECT_EQ(retry.alternative(), std::nullopt);
}

TEST(retry_policy, asks_those_replicas_again_whose_failure_may_pass) {
  retry_policy retry{3, retry_policy::kind::replicas};
  EXPECT_EQ(retry.failed({errc::not_found, "x"}), milliseconds{0});
  EXPECT_EQ(retry.failed({errc::busy, "x"}), milliseconds{0});
  EXPECT_EQ(retry.failed({errc::corrupt, "x"}), milliseconds{10});
  for (const auto pause : {20, 40, 80}) {
    EXPECT_EQ(retry.place(), 1u);
    EXPECT_EQ(retry.alternative(), std::nullopt);
    EXPECT_EQ(retry.failed({errc::timeout, "x"}), milliseconds{pause});
  }
  EXPECT_FALSE(retry.failed({errc::timeout, "x"}));
  EXPECT_EQ(retry.reason(), errc::timeout) << "who was late may have a good copy";
}

TEST(retry_policy, reports_damage_when_all_replicas_have_answered) {
  retry_policy retry{3, retry_policy::kind::replicas};
  EXPECT_TRUE(retry.failed({errc::not_found, "x"}));
  EXPECT_TRUE(retry.failed({errc::corrupt, "bits"}));
  EXPECT_FALSE(retry.failed({errc::not_found, "x"}));
  EXPECT_EQ(retry.reason(), errc::corrupt);
}

TEST(retry_policy, goes_on_asking_replicas_of_which_one_is_busy) {
  retry_policy retry{2, retry_policy::kind::replicas};
  for (const auto pause : {10, 20, 40, 80, 160, 160, 160}) {
    EXPECT_EQ(retry.failed({errc::connection_lost, "x"}), milliseconds{0});
    EXPECT_EQ(retry.failed({errc::busy, "x"}), milliseconds{pause});
    EXPECT_EQ(retry.place(), 0u);
    EXPECT_TRUE(retry.all_busy());
  }
  EXPECT_EQ(retry.failed({errc::connection_lost, "x"}), milliseconds{0});
  EXPECT_EQ(retry.failed({errc::not_found, "x"}), milliseconds{160}) << "the other one may come back";
  EXPECT_FALSE(retry.all_busy());
  EXPECT_EQ(retry.failed({errc::connection_lost, "x"}), milliseconds{160});
}

TEST(retry_policy, gives_up_when_no_replica_has_the_chunk) {
  retry_policy retry{2, retry_policy::kind::replicas};
  EXPECT_TRUE(retry.failed({errc::not_found, "x"}));
  EXPECT_FALSE(retry.failed({errc::not_found, "x"}));
  EXPECT_EQ(retry.reason(), errc::not_found);
}

} // namespace cairn::actors::retry_policy_test
