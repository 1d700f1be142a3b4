#include "net/s3/operations/copy_source.hpp"

#include <gtest/gtest.h>

namespace cairn::net::copy_source_test {
using boost::beast::http::fields;

fields with(std::initializer_list<std::pair<const char*, const char*>> headers) {
  fields out;
  for (const auto& [name, value] : headers) out.set(name, value);
  return out;
}
std::string_view code_of(const auto& outcome) {
  const auto* refused = std::get_if<s3_error>(&outcome);
  return refused == nullptr ? "" : refused->code;
}

TEST(copy_source, names_bucket_and_key_percent_encoded) {
  for (const char* text :
       {"/bucket/a/b%20c+d%C3%A9", "bucket/a/b%20c+d%C3%A9", "bucket/a/b%20c+d%C3%A9?versionId=null"}) {
    const auto source = std::get<copy_source>(read_copy_source(with({{"x-amz-copy-source", text}})));
    EXPECT_EQ(source.bucket, "bucket");
    EXPECT_EQ(source.key, "a/b c+dé");
  }
  EXPECT_TRUE(asks_to_copy(with({{"X-Amz-Copy-Source", "b/k"}})));
  EXPECT_FALSE(asks_to_copy(with({{"x-amz-copy-source-if-match", "x"}})));
}

TEST(copy_source, refuses_what_it_cannot_copy) {
  const std::pair<const char*, std::string_view> bad[] = {
      {"", "InvalidArgument"},
      {"/bucket", "InvalidArgument"},
      {"/bucket/", "InvalidArgument"},
      {"/B/k", "InvalidBucketName"},
      {"/bucket/%zz", "InvalidArgument"},
      {"/bucket/k?versionId=7", "InvalidArgument"},
      {"/bucket/%FF", "InvalidArgument"},
  };
  for (const auto& [text, code] : bad)
    EXPECT_EQ(code_of(read_copy_source(with({{"x-amz-copy-source", text}}))), code) << text;
  EXPECT_EQ(code_of(read_copy_source(with(
                {{"x-amz-copy-source", "bucket/k"}, {"x-amz-copy-source-server-side-encryption-customer-key", "x"}}))),
            "NotImplemented");
}

TEST(copy_source, conditions_that_do_not_hold_fail_also_where_a_get_would_say_not_modified) {
  storage::metadata::object_row row;
  row.modified = 1'000'000'000'000; // 2001-09-09
  const auto refused = [&](const char* name, const char* value) {
    const auto source =
        std::get<copy_source>(read_copy_source(with({{"x-amz-copy-source", "bucket/k"}, {name, value}})));
    return refused_source(source, row).has_value();
  };
  const std::string etag = '"' + to_string(row.etag) + '"';
  EXPECT_FALSE(refused("x-amz-copy-source-if-match", etag.c_str()));
  EXPECT_TRUE(refused("x-amz-copy-source-if-match", "\"other\""));
  EXPECT_TRUE(refused("x-amz-copy-source-if-none-match", etag.c_str()));
  EXPECT_FALSE(refused("x-amz-copy-source-if-none-match", "\"other\""));
  EXPECT_TRUE(refused("x-amz-copy-source-if-modified-since", "Sun, 09 Sep 2001 01:46:40 GMT"));
  EXPECT_TRUE(refused("x-amz-copy-source-if-unmodified-since", "Sun, 09 Sep 2001 01:46:39 GMT"));
}

TEST(copy_source, refuses_a_condition_whose_date_cannot_be_read) {
  for (const auto* name : {"x-amz-copy-source-if-modified-since", "X-Amz-Copy-Source-If-Unmodified-Since"})
    for (const auto* date : {"yesterday", "2001-09-09T01:46:39Z", ""}) {
      const auto read = read_copy_source(with({{"x-amz-copy-source", "bucket/k"}, {name, date}}));
      EXPECT_EQ(code_of(read), "InvalidArgument") << name << ": " << date;
    }
}

TEST(copy_source, of_a_rename_is_a_key_of_the_same_bucket) {
  const std::pair<const char*, const char*> good[] = {{"a/b%20c+d%C3%A9", "a/b c+d\xc3\xa9"},
                                                      {"/files/a", "a"},
                                                      {"files/a", "files/a"},
                                                      {"/other/a", "/other/a"},
                                                      {"%2Ffiles%2Fa", "a"}};
  for (const auto& [text, key] : good) {
    const auto source = std::get<copy_source>(
        read_rename_source(with({{"x-amz-rename-source", text}, {"x-amz-rename-source-if-match", "x"}}), "files"));
    EXPECT_EQ(source.bucket, "files");
    EXPECT_EQ(source.key, key);
    EXPECT_EQ(source.conditions.if_match, "x");
    EXPECT_FALSE(source.version);
  }
  for (const auto* bad : {"", "%zz", "%FF", "/files/"})
    EXPECT_EQ(code_of(read_rename_source(with({{"x-amz-rename-source", bad}}), "files")), "InvalidArgument") << bad;
  EXPECT_EQ(code_of(read_rename_source(with({}), "files")), "InvalidArgument");
  EXPECT_EQ(code_of(read_rename_source(
                with({{"x-amz-rename-source", "a"}, {"x-amz-rename-source-if-modified-since", "yesterday"}}), "files")),
            "InvalidArgument");
  EXPECT_EQ(
      code_of(read_rename_source(with({{"x-amz-rename-source", "a"}, {"x-amz-rename-source-if-new", "x"}}), "files")),
      "NotImplemented");
}

TEST(copy_source, ranges_lie_within_the_source) {
  const auto range = [](std::optional<std::string> text) {
    copy_source source;
    source.range = std::move(text);
    return copied_range(source, 100);
  };
  EXPECT_EQ(std::get<actors::byte_range>(range(std::nullopt)).length, 100u);
  const auto some = std::get<actors::byte_range>(range("bytes=10-99"));
  EXPECT_EQ(some.offset, 10u);
  EXPECT_EQ(some.length, 90u);
  for (const char* text : {"bytes=10-", "bytes=-5", "10-20", "bytes=20-10", "bytes=1-2,3-4", "bytes=x-1", "bytes=1-2 "})
    EXPECT_EQ(code_of(range(text)), "InvalidArgument") << text;
  EXPECT_EQ(code_of(range("bytes=0-100")), "InvalidRange");
}

} // namespace cairn::net::copy_source_test
