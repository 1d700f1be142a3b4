#include "net/s3/operations/target.hpp"

#include <gtest/gtest.h>

namespace cairn::net::target_test {

TEST(s3_target, is_a_bucket_and_a_key) {
  const auto t = parse_s3_target("/photos/2024/a%20b+c.jpg?list-type=2").value();
  EXPECT_EQ(t.bucket, "photos");
  EXPECT_EQ(t.key, "2024/a b+c.jpg") << "a plus is itself in a path";
  EXPECT_EQ(*t.find("list-type"), "2");
  const auto absolute = parse_s3_target("HTTP://example.org:9000/b/k?q=1").value();
  EXPECT_EQ(absolute.bucket, "b");
  EXPECT_EQ(absolute.key, "k");
  EXPECT_EQ(parse_s3_target("http://example.org").value().bucket, "");
}

TEST(s3_target, keeps_dots_and_slashes_as_bytes_of_the_key) {
  EXPECT_EQ(parse_s3_target("/b/../../etc/passwd").value().key, "../../etc/passwd");
  EXPECT_EQ(parse_s3_target("/b/%2e%2e%2Fother/key").value().key, "../other/key");
  EXPECT_EQ(parse_s3_target("/b//").value().key, "/");
  EXPECT_EQ(parse_s3_target("/b%2Fc/key").value().bucket, "b/c") << "no bucket has such a name";
  EXPECT_EQ(parse_s3_target("/..").value().bucket, "..");
}

TEST(s3_target, may_be_the_root_a_bucket_and_a_bucket_with_a_slash) {
  EXPECT_EQ(parse_s3_target("/").value().bucket, "");
  EXPECT_EQ(parse_s3_target("/b").value().key, "");
  EXPECT_EQ(parse_s3_target("/b/").value().key, "");
  EXPECT_EQ(parse_s3_target("/?x=1").value().bucket, "");
  EXPECT_EQ(parse_s3_target("*").value().bucket, "");
}

TEST(s3_target, has_its_bucket_from_a_host_below_a_domain) {
  const std::vector<std::string> domains{"s3.example.com"};
  const auto t = parse_s3_target("/files/a%2Fb?x=1", "photos.s3.example.com:9000", domains).value();
  EXPECT_EQ(t.bucket, "photos");
  EXPECT_EQ(t.key, "files/a/b");
  EXPECT_EQ(t.path, "/files/a%2Fb") << "as it was signed";
  EXPECT_TRUE(t.host_names_bucket);
  EXPECT_EQ(parse_s3_target("/", "photos.s3.example.com", domains).value().key, "");
  EXPECT_EQ(parse_s3_target("//k", "photos.s3.example.com", domains).value().key, "/k");
  EXPECT_EQ(parse_s3_target("/b/k", "s3.example.com", domains).value().bucket, "b");
  EXPECT_FALSE(parse_s3_target("/b/k", "s3.example.com", domains).value().host_names_bucket);
  EXPECT_EQ(parse_s3_target("/b/k", "10.0.0.1", domains).value().bucket, "b");
  EXPECT_EQ(parse_s3_target("http://Photos.s3.example.com/k", "photos.s3.example.com", domains).value().bucket,
            "photos");
  EXPECT_EQ(parse_s3_target("http://photos.s3.example.com/k", "", domains).value().bucket, "photos") << "HTTP/1.0";
  EXPECT_EQ(parse_s3_target("*", "photos.s3.example.com", domains).value().bucket, "");
  EXPECT_FALSE(parse_s3_target("/%", "photos.s3.example.com", domains));
}

TEST(s3_target, is_about_the_host_that_a_signature_covers) {
  const std::vector<std::string> domains{"s3.example.com"};
  for (const auto* other : {"http://other.s3.example.com/k", "http://s3.example.com/other/k", "http://10.0.0.1/b/k",
                            "http://photos.s3.example.com:80/k"})
    EXPECT_EQ(parse_s3_target(other, "photos.s3.example.com", domains).error().code, errc::invalid_argument) << other;
}

TEST(s3_target, refuses_bad_escapes) {
  for (const auto* bad :
       {"", "b/k", "/b/%", "/b/%4", "/b/%zz", "/b/%4g", "/%", "/b?x=%", "/b/k#part", "http:///b", "//%"}) {
    const auto parsed = parse_s3_target(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error(), errc::invalid_argument);
  }
}

} // namespace cairn::net::target_test
