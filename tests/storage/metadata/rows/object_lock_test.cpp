#include "storage/metadata/rows/object_lock.hpp"

#include "storage/metadata/rows/rows.hpp"
#include "storage/metadata/rows/upload_rows.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata::object_lock_test {
constexpr wall_ms day = 24 * 3600 * 1000;
constexpr auto none = retention_mode::none, governance = retention_mode::governance,
               compliance = retention_mode::compliance;

TEST(object_lock, protects_until_the_retention_ends_and_as_long_as_there_is_a_legal_hold) {
  EXPECT_FALSE(is_protected({}, 0));
  const object_lock retained{.retained = {compliance, 100}};
  EXPECT_TRUE(is_protected(retained, 99));
  EXPECT_FALSE(is_protected(retained, 100));
  EXPECT_TRUE(is_protected({.hold = legal_hold::on}, 1'000'000, true));
  EXPECT_FALSE(is_protected({.hold = legal_hold::off}, 0));
  EXPECT_TRUE(is_protected({.retained = {governance, 100}, .hold = legal_hold::on}, 200));
}

TEST(object_lock, in_governance_mode_does_not_count_for_who_may_bypass_it) {
  EXPECT_TRUE(is_protected({.retained = {governance, 100}}, 5, false));
  EXPECT_FALSE(is_protected({.retained = {governance, 100}}, 5, true));
  EXPECT_TRUE(is_protected({.retained = {compliance, 100}}, 5, true));
  EXPECT_TRUE(is_protected({.retained = {governance, 100}, .hold = legal_hold::on}, 5, true));
}

TEST(object_lock, may_be_made_longer_by_anybody_and_else_changed_only_when_it_has_ended_or_by_bypassing) {
  const auto may = [](retention present, retention wanted, bool bypasses) {
    return may_replace(present, wanted, 50, bypasses);
  };
  for (const bool bypasses : {false, true}) {
    EXPECT_TRUE(may({}, {compliance, 60}, bypasses));
    EXPECT_TRUE(may({governance, 100}, {governance, 101}, bypasses));
    EXPECT_TRUE(may({governance, 100}, {governance, 100}, bypasses));
    EXPECT_TRUE(may({compliance, 100}, {compliance, 101}, bypasses));
    EXPECT_TRUE(may({compliance, 50}, {}, bypasses)); // has ended
    EXPECT_FALSE(may({compliance, 100}, {compliance, 99}, bypasses));
    EXPECT_FALSE(may({compliance, 100}, {governance, 101}, bypasses));
    EXPECT_FALSE(may({compliance, 100}, {}, bypasses));
    EXPECT_EQ(may({governance, 100}, {governance, 99}, bypasses), bypasses);
    EXPECT_EQ(may({governance, 100}, {compliance, 101}, bypasses), bypasses);
    EXPECT_EQ(may({governance, 100}, {none, 0}, bypasses), bypasses);
  }
}

TEST(object_lock, of_a_bucket_gives_new_versions_a_default_retention) {
  EXPECT_EQ(default_retention({.enabled = true}, 7), retention{});
  EXPECT_EQ(default_retention({true, governance, period_unit::days, 2}, 7), (retention{governance, 7 + 2 * day}));
  EXPECT_EQ(default_retention({true, compliance, period_unit::years, retention_years_max}, 7),
            (retention{compliance, 7 + wall_ms{retention_days_max} * day}));
}

std::vector<object_lock> some_locks() {
  return {{.retained = {governance, 1'900'000'000'000}},
          {.hold = legal_hold::on},
          {.hold = legal_hold::off},
          {.retained = {compliance, ~std::uint64_t{0} >> 1}, .hold = legal_hold::on}};
}

TEST(object_lock, is_a_field_of_the_third_version_of_objects_and_the_second_of_uploads) {
  object_row row{.row_id = 1, .version = 2, .size = 3};
  upload_row upload{.id = 1, .key = "k"};
  for (const auto& lock : some_locks()) {
    row.extras.lock = upload.extras.lock = lock;
    for (const bool open : {false, true}) {
      row.extras.public_read = upload.extras.public_read = open;
      const auto bytes = encode(row), begun = encode(upload);
      EXPECT_EQ(bytes[0], 3);
      EXPECT_EQ(begun[0], 2);
      EXPECT_EQ(decode_object(bytes)->extras.lock, lock);
      EXPECT_EQ(decode_object(bytes)->extras.public_read, open);
      EXPECT_EQ(decode_listed(bytes)->size, 3u);
      EXPECT_EQ(decode_upload(begun)->extras.lock, lock);
      for (std::size_t length = 1; length < bytes.size(); ++length)
        EXPECT_EQ(decode_object(std::string_view{bytes}.substr(0, length)).error(), errc::corrupt);
      EXPECT_EQ(decode_object('\2' + bytes.substr(1)).error(), errc::corrupt); // not the lowest version
      EXPECT_EQ(decode_upload('\1' + begun.substr(1)).error(), errc::corrupt);
    }
  }
  row.extras = {};
  EXPECT_EQ(decode_object('\3' + encode(row).substr(1)).error(), errc::corrupt);
  upload.extras = {};
  EXPECT_EQ(encode(upload)[0], 1);
  EXPECT_EQ(decode_upload('\2' + encode(upload).substr(1)).error(), errc::corrupt);
}

TEST(object_lock, is_a_field_of_the_seventh_version_of_buckets) {
  bucket_row bucket{.id = 1, .name = "abc", .created = 2, .versioning = 1};
  for (const bucket_lock& lock : {bucket_lock{.enabled = true}, bucket_lock{true, governance, period_unit::days, 300},
                                  bucket_lock{true, compliance, period_unit::years, 100}}) {
    bucket.lock = lock;
    const auto bytes = encode(bucket);
    EXPECT_EQ(bytes[0], 7);
    EXPECT_EQ(decode_bucket(bytes)->lock, lock);
    EXPECT_EQ(decode_listed_bucket(bytes)->name, "abc");
    for (std::size_t length = 0; length < bytes.size(); ++length)
      EXPECT_EQ(decode_bucket(std::string_view{bytes}.substr(0, length)).error(), errc::corrupt);
  }
  for (const bucket_lock& bad : {bucket_lock{true, governance, period_unit::days, 0},
                                 bucket_lock{true, governance, period_unit::days, retention_days_max + 1},
                                 bucket_lock{true, compliance, period_unit::years, retention_years_max + 1}}) {
    bucket.lock = bad;
    EXPECT_EQ(decode_bucket(encode(bucket)).error(), errc::corrupt);
  }
}

} // namespace cairn::storage::metadata::object_lock_test
