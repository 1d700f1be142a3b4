#include "cli/import/import_plan.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::import_plan_test {

constexpr time_ns second = 1'000'000'000;
using kind = import_plan::kind;

// "a3": bytes with the ETag a, stored at second 3; "-3": a delete marker.
std::vector<stored_version> history(const std::vector<std::string>& versions) {
  std::vector<stored_version> out;
  for (const auto& text : versions) {
    stored_version version{"id", text.substr(0, 1), 1, std::stoll(text.substr(1)) * second};
    version.delete_marker = text.starts_with('-');
    if (version.delete_marker) version.etag.clear();
    out.push_back(version);
  }
  return out;
}

import_plan plan(const std::vector<std::string>& source, const std::vector<std::string>& target,
                 const plan_rules& rules = {}) {
  return plan_import(history(source), history(target), rules);
}

void expect(const import_plan& got, kind what, std::size_t first, std::size_t target_only = 0) {
  EXPECT_EQ(got.what, what);
  if (what == kind::copy) {
    EXPECT_EQ(got.first, first);
  }
  EXPECT_EQ(got.target_only, target_only);
}

TEST(paired_versions, are_those_that_both_have_in_this_order) {
  using pairs = std::vector<std::pair<std::size_t, std::size_t>>;
  const auto paired = [](const std::vector<std::string>& source, const std::vector<std::string>& target) {
    return paired_versions(history(source), history(target));
  };
  EXPECT_EQ(paired({"a1"}, {}), pairs{});
  EXPECT_EQ(paired({"a1", "-2", "b3"}, {"a1", "-2", "b3"}), (pairs{{0, 0}, {1, 1}, {2, 2}}));
  EXPECT_EQ(paired({"a1", "b2"}, {"x1", "a2"}), (pairs{{0, 1}}));
  EXPECT_EQ(paired({"a1"}, {"a1", "a2"}), (pairs{{0, 1}})); // the newest counts
}

TEST(import_plan, copies_all_versions_into_an_empty_target) {
  expect(plan({"a1", "-2", "b3"}, {}), kind::copy, 0);
}

TEST(import_plan, copies_what_follows_the_newest_version_of_the_target) {
  expect(plan({"a1", "b2", "c3"}, {"a100"}), kind::copy, 1);
  expect(plan({"a1", "-2", "c3"}, {"a100", "-101"}), kind::copy, 2);
  expect(plan({"a1", "b2", "c3"}, {"a100", "b101", "c102"}), kind::same, 3);
}

TEST(import_plan, counts_equal_versions_by_their_position) {
  expect(plan({"a1", "a2", "a3"}, {"a100"}), kind::copy, 1);
  expect(plan({"a1", "a2", "a3"}, {"a100", "a101"}), kind::copy, 2);
  expect(plan({"a1", "b2", "a3"}, {"a100"}), kind::copy, 1);
  expect(plan({"a1", "b2", "a3"}, {"a100", "b101", "a102"}), kind::same, 3);
  expect(plan({"-1", "-2"}, {"-100"}), kind::copy, 1);
}

TEST(import_plan, old_versions_that_the_source_has_no_more_stay_in_the_target) {
  expect(plan({"b2", "c3"}, {"a100", "b101", "c102"}), kind::same, 2, 1);
  expect(plan({"b2", "c3"}, {"a100", "b101"}), kind::copy, 1, 1);
}

TEST(import_plan, an_object_that_changed_after_it_was_copied_is_copied_again) {
  expect(plan({"b200"}, {"a100"}), kind::copy, 0, 1);
}

TEST(import_plan, something_newer_in_the_target_is_a_conflict_unless_the_source_is_to_win) {
  expect(plan({"a1"}, {"x100"}), kind::conflict, 0, 1);
  expect(plan({"a1"}, {"a100", "x101"}), kind::conflict, 0, 1);
  expect(plan({"a1", "b2"}, {"a100", "b101", "-102"}), kind::conflict, 0, 1);
  expect(plan({"a1"}, {"x100"}, {0, true}), kind::copy, 0, 1);
  expect(plan({"a1"}, {"a100", "x101"}, {0, true}), kind::copy, 0, 1);
}

TEST(import_plan, times_are_compared_by_one_clock) {
  // The target's clock is an hour ahead: what it stored "at 3700" was before the source's change at 200.
  expect(plan({"b200"}, {"a3700"}), kind::conflict, 0, 1);
  expect(plan({"b200"}, {"a3700"}, {3600 * second, false}), kind::copy, 0, 1);
}

TEST(import_plan, the_same_bytes_stored_again_may_have_other_headers) {
  expect(plan({"a200"}, {"a100"}), kind::compare_heads, 1);
  expect(plan({"a1", "-200"}, {"a100", "-101"}), kind::same, 2);
}

TEST(import_plan, a_copy_under_another_etag_is_recognized_by_the_etag_of_its_origin) {
  const auto source = history({"a1"});
  auto target = history({"x100"});
  EXPECT_TRUE(may_be_renamed_copy(source, target[0]));
  target[0].origin_etag = "a";
  EXPECT_EQ(plan_import(source, target, {}).what, kind::same);
  target[0].size_bytes = 2;
  EXPECT_EQ(plan_import(source, target, {}).what, kind::conflict);
  EXPECT_FALSE(may_be_renamed_copy(source, target[0]));
  EXPECT_FALSE(may_be_renamed_copy(source, history({"a100"})[0]));
  EXPECT_FALSE(may_be_renamed_copy(source, history({"-100"})[0]));
}

// Whatever prefix of the copies an interrupted run made, the next one completes it to the source's history.
TEST(import_plan, goes_on_from_every_point_of_an_interruption) {
  const std::vector<std::string> letters{"a", "b", "-"};
  for (unsigned seed = 0; seed < 3 * 3 * 3 * 3 * 3; ++seed) {
    std::vector<std::string> source;
    for (unsigned i = 0, rest = seed; i < 5; ++i, rest /= 3) source.push_back(letters[rest % 3] + std::to_string(i));
    for (std::size_t copied = 0; copied < source.size(); ++copied) {
      std::vector<std::string> target;
      for (std::size_t i = 0; i < copied; ++i) target.push_back(source[i].substr(0, 1) + std::to_string(100 + i));
      const auto got = plan(source, target);
      ASSERT_EQ(got.what, kind::copy) << seed << " after " << copied;
      ASSERT_EQ(got.first, copied) << seed;
      ASSERT_EQ(got.target_only, 0u);
    }
  }
}

} // namespace cairn::cli::import_plan_test
