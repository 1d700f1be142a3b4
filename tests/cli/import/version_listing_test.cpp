#include "cli/import/version_listing.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::version_listing_test {

std::string page_of(std::string_view entries, std::string_view next_key) {
  return "<ListVersionsResult>" + std::string{entries} + "<IsTruncated>true</IsTruncated><NextKeyMarker>" +
         std::string{next_key} + "</NextKeyMarker></ListVersionsResult>";
}

std::string version_of(std::string_view key, int id) {
  return "<Version><Key>" + std::string{key} + "</Key><VersionId>" + std::to_string(id) +
         "</VersionId><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"e\"</ETag><Size>1</Size></Version>";
}

bool goes_on() {
  return false;
}

TEST(version_listing, ends_when_empty_pages_lead_in_a_circle) {
  int asked = 0;
  version_listing listing(
      version_listing::scope::all_versions,
      [&](const version_listing::query&) { return result<std::string>(page_of("", ++asked % 2 == 0 ? "a" : "b")); },
      goes_on);
  const auto found = listing.next();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, errc::corrupt);
  EXPECT_LT(asked, 20);
}

TEST(version_listing, keeps_no_more_versions_of_a_key_than_it_may) {
  int asked = 0;
  const auto endless = [&](const version_listing::query&) {
    std::string entries;
    for (int i = 0; i < 10; ++i) entries += version_of("k", i);
    return result<std::string>(page_of(entries, "k" + std::to_string(++asked)));
  };
  version_listing listing(version_listing::scope::all_versions, endless, goes_on, {}, 1000);
  const auto found = listing.next();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, errc::too_large);
  EXPECT_EQ(asked, 101);
}

TEST(version_listing, stops_between_the_pages_of_one_key) {
  int asked = 0;
  version_listing listing(
      version_listing::scope::all_versions,
      [&](const version_listing::query&) {
        ++asked;
        return result<std::string>(page_of(version_of("k", asked), "k" + std::to_string(asked)));
      },
      [&] { return asked == 3; });
  const auto found = listing.next();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, errc::cancelled);
  EXPECT_EQ(asked, 3);
}

} // namespace cairn::cli::version_listing_test
