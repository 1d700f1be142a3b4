#include "cli/import/import_report.hpp"

#include "cli/import/import_progress.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::import_report_test {

using pass_kind = import_report::pass_kind;

TEST(import_report, copies_add_up_and_differences_are_those_of_the_latest_pass) {
  import_report report;
  report.begin_pass(pass_kind::copy);
  report.copied_object(100, true);
  report.differs({"b", "k"}, "why");
  report.failed("b/x", {errc::io_error, "broke"});
  EXPECT_FALSE(report.all_well());
  report.begin_pass(pass_kind::copy);
  report.copied_object(50, false);
  report.copied_delete_marker();
  report.same("b", 0);
  EXPECT_TRUE(report.all_well());
  const auto counts = report.counts();
  EXPECT_EQ(counts.objects, 2u);
  EXPECT_EQ(counts.bytes, 150u);
  EXPECT_EQ(counts.unproven, 1u);
  EXPECT_EQ(counts.same, 1u);
  EXPECT_EQ(report.text(false), "copied 2 objects, 1 delete marker (150 B), 1 without a digest of the source to prove "
                                "them; 1 key is the same, 0 differ, 0 only in the target, 0 failed\n");
}

TEST(import_report, a_comparison_keeps_the_failures_of_the_copies) {
  import_report report;
  report.begin_pass(pass_kind::copy);
  report.failed("b/x", {errc::io_error, "broke"});
  report.begin_pass(pass_kind::compare);
  EXPECT_EQ(report.counts().failed, 1u);
  EXPECT_NE(report.text(false).find("failed: b/x: broke\n"), std::string::npos);
}

TEST(import_report, says_what_stays_behind) {
  import_report report;
  report.begin_pass(pass_kind::copy);
  report.lost("the storage class COLD");
  report.lost("the storage class COLD");
  report.bucket({"a",
                 "b",
                 versioning_state::suspended,
                 {{"lifecycle", setting_outcome::kind::carried},
                  {"website", setting_outcome::kind::left_behind},
                  {"policy", setting_outcome::kind::refused, "MalformedPolicy"}}});
  EXPECT_TRUE(report.text(false).starts_with("bucket a → b: versioning suspended; carried over: lifecycle\n"
                                             "  website: not carried over\n"
                                             "  policy: refused by the target: MalformedPolicy\n"
                                             "not carried over: the storage class COLD (2 objects)\n"));
  const auto json = json_text(report.json());
  EXPECT_NE(json.find("{\"setting\":\"website\",\"outcome\":\"not carried over\"}"), std::string::npos) << json;
}

TEST(import_report, forgets_what_a_listing_without_order_seemed_to_show) {
  import_report report;
  report.begin_pass(pass_kind::copy);
  report.same("a", 0);
  report.only_in_target("a", {"x", "k"});
  report.only_in_target("b", {"y", "l"});
  report.without_order("a");
  EXPECT_EQ(report.counts().same, 0u);
  EXPECT_EQ(report.counts().target_only_keys, 1u);
  EXPECT_EQ(report.text(false).find("x/k"), std::string::npos);
}

TEST(import_report, keeps_a_bounded_number_of_lines) {
  import_report report;
  report.begin_pass(pass_kind::copy);
  for (int i = 0; i < 5000; ++i) report.differs({"b", std::to_string(i)}, "why");
  EXPECT_EQ(report.counts().differ, 5000u);
  EXPECT_NE(report.text(false).find("… and 4000 more that differ\n"), std::string::npos);
}

TEST(import_report, notices_that_a_server_stays_away) {
  import_report report;
  report.begin_pass(pass_kind::copy);
  for (int i = 0; i < 7; ++i) report.failed("b/k", {errc::connection_lost, "no"});
  EXPECT_FALSE(report.server_unreachable(4));
  report.failed("b/k", {errc::timeout, "no"});
  EXPECT_TRUE(report.server_unreachable(4));
  report.copied_object(1, true);
  EXPECT_FALSE(report.server_unreachable(4));
}

TEST(import_line, has_a_bar_and_the_time_left_once_everything_is_counted) {
  import_state state{10, 1000, 4, 500, 300, 0, false};
  EXPECT_EQ(import_line(state, 100, 250, 120), "4/10+ objects  500 B/1000 B+  100 B/s");
  state.counted_all = true;
  state.failed = 2;
  EXPECT_EQ(import_line(state, 100, 250, 80),
            "[=======        ]  50%  4/10 objects  500 B/1000 B  100 B/s  ETA 0:02  2 failed");
  for (unsigned width = 1; width < 200; ++width) EXPECT_LE(import_line(state, 100, 250, width).size(), width);
}

} // namespace cairn::cli::import_report_test
