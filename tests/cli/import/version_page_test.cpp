#include "cli/import/version_page.hpp"

#include "cli/import/version_listing.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::version_page_test {

std::string version(const std::string& key, const std::string& id, const std::string& second, bool latest = false) {
  return "<Version><Key>" + key + "</Key><VersionId>" + id + "</VersionId><IsLatest>" + (latest ? "true" : "false") +
         "</IsLatest><LastModified>2024-01-01T00:00:" + second + "Z</LastModified><ETag>&quot;e" + id +
         "&quot;</ETag><Size>7</Size></Version>";
}

std::string marker(const std::string& key, const std::string& id, const std::string& second, bool latest = false) {
  return "<DeleteMarker><Key>" + key + "</Key><VersionId>" + id + "</VersionId><IsLatest>" +
         (latest ? "true" : "false") + "</IsLatest><LastModified>2024-01-01T00:00:" + second +
         "Z</LastModified></DeleteMarker>";
}

std::string page(const std::string& entries, const std::string& head = {}) {
  return "<ListVersionsResult>" + head + entries + "</ListVersionsResult>";
}

std::string ids_of(const std::string& xml) {
  std::string out;
  for (const auto& entry : parse_version_page(xml).value().entries) out += entry.key + entry.version.id + " ";
  return out;
}

TEST(version_page, reads_versions_and_delete_markers_in_their_order) {
  const auto got =
      parse_version_page(page(marker("a", "3", "03", true) + version("a", "2", "02") + version("b", "1", "01", true)));
  ASSERT_TRUE(got) << got.error().text;
  ASSERT_EQ(got->entries.size(), 3u);
  EXPECT_TRUE(got->entries[0].version.delete_marker);
  EXPECT_EQ(got->entries[1].version.etag, "e2");
  EXPECT_EQ(got->entries[1].version.size_bytes, 7u);
  EXPECT_EQ(got->entries[2].key, "b");
  EXPECT_FALSE(got->truncated);
}

TEST(version_page, delete_markers_that_come_after_all_versions_are_put_where_their_times_belong) {
  EXPECT_EQ(ids_of(page(version("a", "4", "04") + version("a", "2", "02") + version("b", "1", "01") +
                        marker("a", "5", "05", true) + marker("a", "3", "03") + marker("b", "6", "06", true))),
            "a5 a4 a3 a2 b6 b1 ");
  EXPECT_EQ(ids_of(page(version("a", "1", "01") + marker("a", "2", "01", true))), "a2 a1 ") << "within one second";
  EXPECT_EQ(ids_of(page(version("a", "2", "01", true) + marker("a", "1", "01"))), "a2 a1 ");
  EXPECT_EQ(ids_of(page(version("b", "1", "01") + marker("a", "2", "02", true) + marker("c", "3", "03", true))),
            "a2 b1 c3 ");
}

TEST(version_page, an_order_that_the_server_chose_is_kept_although_times_differ) {
  // The time of a version in parts is when its upload began.
  EXPECT_EQ(ids_of(page(version("a", "3", "01", true) + marker("a", "2", "02") + version("a", "1", "03"))),
            "a3 a2 a1 ");
}

TEST(version_page, undoes_the_url_encoding_of_keys_and_markers) {
  const auto got = parse_version_page(page(version("a%0Ab%2Bc+d", "1", "01"),
                                           "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                                           "<NextKeyMarker>x%2F</NextKeyMarker><NextVersionIdMarker>9"
                                           "</NextVersionIdMarker>"));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->entries[0].key, "a\nb+c d");
  EXPECT_EQ(got->next_key, "x/");
  EXPECT_EQ(got->next_version, "9");
}

TEST(version_page, refuses_what_is_no_listing_and_what_cannot_go_on) {
  EXPECT_FALSE(parse_version_page("<ListBucketResult/>"));
  EXPECT_FALSE(parse_version_page(page("", "<IsTruncated>true</IsTruncated>")));
  EXPECT_FALSE(parse_version_page(page("<Version><Key>a</Key></Version>")));
  EXPECT_FALSE(parse_version_page(page("<Version><Key>a</Key><VersionId>1</VersionId></Version>"))) << "no size";
}

TEST(version_listing, gathers_the_versions_of_a_key_over_pages_oldest_first) {
  std::vector<version_listing::query> asked;
  version_listing listing(
      version_listing::scope::all_versions,
      [&](const version_listing::query& query) {
        asked.push_back(query);
        const std::string more = "<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextVersionIdMarker>2"
                                 "</NextVersionIdMarker>";
        return result<std::string>(asked.size() == 1
                                       ? page(version("a", "3", "03", true) + version("a", "2", "02"), more)
                                       : page(version("a", "1", "01") + version("b", "1", "01", true)));
      },
      [] { return false; });
  const auto a = listing.next();
  ASSERT_TRUE(a && *a);
  ASSERT_EQ((*a)->versions.size(), 3u);
  EXPECT_EQ((*a)->versions.front().id, "1");
  EXPECT_EQ((*a)->versions.back().id, "3");
  const auto b = listing.next();
  ASSERT_TRUE(b && *b);
  EXPECT_EQ((*b)->key, "b");
  EXPECT_FALSE(listing.next().value());
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[1],
            (version_listing::query{
                {"versions", ""}, {"encoding-type", "url"}, {"key-marker", "a"}, {"version-id-marker", "2"}}));
}

TEST(version_listing, of_a_bucket_without_versions_has_its_objects) {
  version_listing listing(
      version_listing::scope::current_objects,
      [](const version_listing::query& query) {
        EXPECT_EQ(query[0].first, "list-type");
        return result<std::string>("<ListBucketResult><Contents><Key>a</Key><Size>3</Size><ETag>\"x\"</ETag></Contents>"
                                   "</ListBucketResult>");
      },
      [] { return false; });
  const auto a = listing.next();
  ASSERT_TRUE(a && *a);
  EXPECT_EQ((*a)->versions.at(0).id, "");
  EXPECT_EQ((*a)->versions.at(0).etag, "x");
  EXPECT_FALSE(listing.next().value());
}

TEST(version_listing, ends_with_an_error_when_the_server_repeats_a_page) {
  version_listing listing(
      version_listing::scope::all_versions,
      [](const version_listing::query&) {
        return result<std::string>(page("", "<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>"));
      },
      [] { return false; });
  const auto got = listing.next();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, errc::corrupt);
}

} // namespace cairn::cli::version_page_test
