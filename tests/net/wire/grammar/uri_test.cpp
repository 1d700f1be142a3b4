#include "net/wire/grammar/uri.hpp"

#include <gtest/gtest.h>

namespace cairn::net::uri_test {

TEST(uri, cuts_the_target_into_path_and_query) {
  const auto t = parse_target("/photos/2024/a%20b+c.jpg?list-type=2&prefix=x%2Fy+z&flag").value();
  EXPECT_EQ(t.path, "/photos/2024/a%20b+c.jpg");
  ASSERT_EQ(t.query.size(), 3u);
  EXPECT_EQ(*t.find("prefix"), "x/y z") << "a plus is a space in a query";
  EXPECT_EQ(*t.find("flag"), "");
  EXPECT_EQ(t.find("absent"), nullptr);
}

TEST(uri, reads_the_absolute_and_the_asterisk_form) {
  const auto absolute = parse_target("HTTP://example.org:9000/b/k?q=1").value();
  EXPECT_EQ(absolute.authority, "example.org:9000");
  EXPECT_EQ(absolute.path, "/b/k");
  EXPECT_EQ(parse_target("http://example.org").value().path, "/");
  EXPECT_EQ(parse_target("http://example.org?q=1").value().path, "/");
  EXPECT_TRUE(parse_target("*").value().asterisk);
}

TEST(uri, refuses_fragments_other_forms_and_queries_with_bad_escapes) {
  for (const auto* bad : {"", "b/k", "/b?x=%", "/b?%4=x", "/b/k#part", "http:///b"}) {
    const auto parsed = parse_target(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error(), errc::invalid_argument);
  }
}

TEST(uri, encodes_what_it_decodes) {
  std::string every_byte, encoded;
  for (int c = 0; c < 256; ++c) every_byte.push_back(static_cast<char>(c));
  append_percent_encoded(encoded, every_byte);
  EXPECT_EQ(percent_decode(encoded, true), every_byte);
  EXPECT_EQ(encoded.find_first_of(" +&=?#\"<>"), encoded.npos);
}

} // namespace cairn::net::uri_test
