#include "storage/metadata/read/lifecycle_rules.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata::lifecycle_rules_test {

using std::chrono::milliseconds;

constexpr wall_ms day = 24 * 3600 * 1000;

listed_version version(const std::string& key, wall_ms modified, bool marker = false) {
  listed_version v;
  v.key = key;
  v.modified = modified;
  v.delete_marker = marker;
  return v;
}

// The actions of the rules on these versions, in order; '.' keep, 'e' expire, 'r' remove.
std::string actions(const std::vector<lifecycle_rule>& rules, const std::vector<listed_version>& versions,
                    wall_ms now) {
  lifecycle_rules r{rules, milliseconds{day}};
  std::string out;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const bool last = i + 1 == versions.size() || versions[i + 1].key != versions[i].key;
    const auto action = r.next(versions[i], last, now);
    out += action == lifecycle_action::keep ? '.' : action == lifecycle_action::expire ? 'e' : 'r';
  }
  return out;
}

TEST(lifecycle_rules, objects_expire_at_the_midnight_after_their_days) {
  const std::vector<lifecycle_rule> rules{{.prefix = "logs/", .expire_days = 2}};
  const std::vector versions{version("logs/a", 5 * day + 1), version("other", 0)};
  EXPECT_EQ(actions(rules, versions, 8 * day - 1), "..");
  EXPECT_EQ(actions(rules, versions, 8 * day), "e.");
  EXPECT_EQ(actions({{.prefix = "", .enabled = false, .expire_days = 1}}, versions, 100 * day), "..");
  EXPECT_EQ(actions({{.expire_at = 7 * day}}, versions, 7 * day), "ee");
}

TEST(lifecycle_rules, predict_when_an_object_expires) {
  auto object = version("logs/a", 5 * day + 1);
  object.size = 10;
  const auto first = expiry_of({{.id = "late", .expire_days = 9},
                                {.id = "other", .prefix = "x", .expire_days = 1},
                                {.id = "off", .enabled = false, .expire_days = 1},
                                {.id = "large", .size_above = 10, .expire_days = 1},
                                {.id = "tagged", .tags = {{"a", "b"}}, .expire_days = 1},
                                {.id = "soon", .prefix = "logs/", .expire_days = 2},
                                {.id = "displaced", .noncurrent_days = 1}},
                               object);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->rule, "soon");
  EXPECT_EQ(first->at, 8 * day);
  EXPECT_EQ(expiry_of({{.expire_at = 3 * day}}, object)->at, 3 * day);
  EXPECT_FALSE(expiry_of({{.noncurrent_days = 1}, {.abort_days = 1}}, object));
}

TEST(lifecycle_rules, predict_when_an_upload_is_aborted) {
  const std::vector<lifecycle_rule> rules{{.id = "late", .abort_days = 9},
                                          {.id = "other", .prefix = "x", .abort_days = 1},
                                          {.id = "off", .enabled = false, .abort_days = 1},
                                          {.id = "soon", .prefix = "logs/", .abort_days = 2},
                                          {.id = "objects", .expire_days = 1}};
  const auto first = abort_of(rules, "logs/a", 5 * day + 1);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->rule, "soon");
  EXPECT_EQ(first->at, 8 * day);
  EXPECT_FALSE(abort_of({{.expire_days = 1}}, "logs/a", 0));
}

TEST(lifecycle_rules, noncurrent_versions_are_removed_by_the_time_of_their_displacement) {
  const std::vector<lifecycle_rule> rules{{.noncurrent_days = 1}};
  const std::vector versions{version("a", 10 * day), version("a", 3 * day), version("a", 1 * day), version("b", 0),
                             version("b", 0)};
  EXPECT_EQ(actions(rules, versions, 5 * day), "..r.r"); // the middle one was displaced on day 10
  EXPECT_EQ(actions(rules, versions, 11 * day), ".rr.r");
}

TEST(lifecycle_rules, keep_versions_that_object_lock_protects_until_it_ends) {
  const std::vector<lifecycle_rule> rules{{.expire_days = 1, .noncurrent_days = 1}};
  auto held = version("a", 3), retained = version("a", 2), live = version("a", 4);
  held.lock.hold = legal_hold::on;
  live.lock = held.lock;
  retained.lock.retained = {retention_mode::governance, 50 * day};
  const std::vector versions{live, held, retained, version("a", 1)};
  EXPECT_EQ(actions(rules, versions, 50 * day - 1), "e..r"); // a delete marker hides the live one
  EXPECT_EQ(actions(rules, versions, 50 * day), "e.rr");
}

TEST(lifecycle_rules, some_of_the_newest_noncurrent_versions_may_be_kept) {
  const std::vector<lifecycle_rule> rules{{.noncurrent_days = 1, .noncurrent_kept = 2}};
  const std::vector versions{version("a", 4), version("a", 3), version("a", 2), version("a", 1), version("b", 1)};
  EXPECT_EQ(actions(rules, versions, 50 * day), "...r.");
}

TEST(lifecycle_rules, delete_markers_are_removed_when_no_version_is_behind_them) {
  const std::vector<lifecycle_rule> rules{{.expire_markers = true}};
  const std::vector versions{version("a", 1, true), version("b", 2, true), version("b", 1)};
  EXPECT_EQ(actions(rules, versions, 5), "r..");
  EXPECT_EQ(actions({{.expire_days = 1}}, versions, 50 * day), "r.."); // by its age, too
}

TEST(lifecycle_rules, filter_by_tags_and_sizes) {
  auto small = version("a", 0), tagged = version("b", 0), large = version("c", 0);
  small.size = 10;
  tagged.size = large.size = 1000;
  tagged.tags = {{"keep", "no"}, {"x", "y"}};
  const std::vector versions{small, tagged, large};
  EXPECT_EQ(actions({{.size_above = 10, .expire_days = 1}}, versions, 50 * day), ".ee");
  EXPECT_EQ(actions({{.size_below = 1000, .expire_days = 1}}, versions, 50 * day), "e..");
  EXPECT_EQ(actions({{.tags = {{"keep", "no"}}, .expire_days = 1}}, versions, 50 * day), ".e.");
  EXPECT_EQ(actions({{.tags = {{"keep", "no"}}, .size_above = 1000, .expire_days = 1}}, versions, 50 * day), "...");
}

TEST(lifecycle_rules, uploads_are_aborted_when_they_are_old) {
  const lifecycle_rules r{{{.prefix = "a", .abort_days = 3}}, milliseconds{day}};
  EXPECT_TRUE(r.wants_uploads());
  listed_upload upload;
  upload.key = "abc";
  upload.begun = 10 * day;
  EXPECT_FALSE(r.aborts(upload, 13 * day - 1));
  EXPECT_TRUE(r.aborts(upload, 13 * day));
  upload.key = "b";
  EXPECT_FALSE(r.aborts(upload, 50 * day));
}

TEST(lifecycle_rules, uploads_above_the_maximum_age_are_aborted_without_a_rule) {
  const lifecycle_rules r{{}, milliseconds{day}, milliseconds{2 * day}};
  EXPECT_TRUE(r.wants_uploads());
  EXPECT_FALSE(r.wants_versions());
  listed_upload upload;
  upload.begun = 10 * day + 5;
  EXPECT_FALSE(r.aborts(upload, 12 * day + 4));
  EXPECT_TRUE(r.aborts(upload, 12 * day + 5));
}

TEST(lifecycle_rules, a_day_of_another_length_has_no_midnight) {
  lifecycle_rules r{{{.expire_days = 2}}, milliseconds{100}};
  EXPECT_EQ(r.next(version("a", 1001), true, 1200), lifecycle_action::keep);
  EXPECT_EQ(r.next(version("a", 1001), true, 1201), lifecycle_action::keep); // of the same key: not the newest
  EXPECT_EQ(r.next(version("b", 1001), true, 1201), lifecycle_action::expire);
}

} // namespace cairn::storage::metadata::lifecycle_rules_test
