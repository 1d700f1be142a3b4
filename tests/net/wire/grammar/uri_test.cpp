#include "net/wire/grammar/uri.hpp"

#include <gtest/gtest.h>

namespace cairn::net {

TEST(uri, cuts_the_target_into_bucket_key_and_query) {
  const auto t = parse_target("/photos/2024/a%20b+c.jpg?list-type=2&prefix=x%2Fy+z&flag").value();
  EXPECT_EQ(t.bucket, "photos");
  EXPECT_EQ(t.key, "2024/a b+c.jpg") << "a plus is itself in a path";
  ASSERT_EQ(t.query.size(), 3u);
  EXPECT_EQ(*t.find("prefix"), "x/y z") << "and a space in a query";
  EXPECT_EQ(*t.find("flag"), "");
  EXPECT_EQ(t.find("absent"), nullptr);
}

TEST(uri, keeps_dots_and_slashes_as_bytes_of_the_key) {
  EXPECT_EQ(parse_target("/b/../../etc/passwd").value().key, "../../etc/passwd");
  EXPECT_EQ(parse_target("/b/%2e%2e%2Fother/key").value().key, "../other/key");
  EXPECT_EQ(parse_target("/b//").value().key, "/");
  EXPECT_EQ(parse_target("/b%2Fc/key").value().bucket, "b/c") << "no bucket has such a name";
  EXPECT_EQ(parse_target("/..").value().bucket, "..");
}

TEST(uri, reads_the_root_a_bucket_and_a_bucket_with_a_slash) {
  EXPECT_EQ(parse_target("/").value().bucket, "");
  EXPECT_EQ(parse_target("/b").value().key, "");
  EXPECT_EQ(parse_target("/b/").value().key, "");
  EXPECT_EQ(parse_target("/?x=1").value().bucket, "");
}

TEST(uri, reads_the_absolute_and_the_asterisk_form) {
  const auto absolute = parse_target("HTTP://example.org:9000/b/k?q=1").value();
  EXPECT_EQ(absolute.authority, "example.org:9000");
  EXPECT_EQ(absolute.bucket, "b");
  EXPECT_EQ(absolute.key, "k");
  EXPECT_EQ(parse_target("http://example.org").value().bucket, "");
  EXPECT_TRUE(parse_target("*").value().asterisk);
}

TEST(uri, refuses_bad_escapes_fragments_and_other_forms) {
  for (const auto* bad :
       {"", "b/k", "/b/%", "/b/%4", "/b/%zz", "/b/%4g", "/%", "/b?x=%", "/b/k#part", "http:///b", "//%"}) {
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

} // namespace cairn::net
