#include "cli/client/object_path.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::object_path_test {

TEST(object_path, first_slash_separates_bucket_and_key) {
  const auto path = parse_object_path("files/2024/a.bin", true);
  ASSERT_TRUE(path);
  EXPECT_EQ(path->bucket, "files");
  EXPECT_EQ(path->key, "2024/a.bin");
}

TEST(object_path, leading_slash_and_s3_scheme_mean_the_same) {
  for (const auto* text : {"/files/a", "s3://files/a", "files/a"}) {
    const auto path = parse_object_path(text, true);
    ASSERT_TRUE(path) << text;
    EXPECT_EQ(path->bucket + ":" + path->key, "files:a");
  }
}

TEST(object_path, missing_parts_are_refused_with_an_example) {
  for (const auto* text : {"", "/", "files", "files/", "//a"}) {
    const auto path = parse_object_path(text, true);
    ASSERT_FALSE(path) << text;
    EXPECT_EQ(path.error().code, cairn::errc::invalid_argument);
    EXPECT_NE(path.error().text.find("BUCKET/KEY"), std::string::npos);
  }
  EXPECT_TRUE(parse_object_path("files", false));
  EXPECT_FALSE(parse_object_path("", false));
}

TEST(percent_encoding, round_trips_every_byte) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(percent_decode(percent_encode(all, false)), all);
  EXPECT_EQ(percent_decode(percent_encode(all, true)), all);
}

TEST(percent_encoding, leaves_only_unreserved_characters_and_wanted_slashes) {
  EXPECT_EQ(percent_encode("a/b c+é~", true), "a/b%20c%2B%C3%A9~");
  EXPECT_EQ(percent_encode("a/b", false), "a%2Fb");
}

TEST(percent_encoding, malformed_escapes_stay_as_they_are) {
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%zz%41"), "%zzA");
}

TEST(target, dots_in_a_key_are_bytes_of_the_key) {
  EXPECT_EQ(target_of(object_path{"files", "../a"}), "/files/../a");
  EXPECT_EQ(target_of("files", {{"prefix", "a/&="}, {"list-type", "2"}}), "/files?prefix=a%2F%26%3D&list-type=2");
}

TEST(printable, escapes_what_could_drive_a_terminal) {
  EXPECT_EQ(printable("a\x1b[2J\nb\x7f é"), "a\\x1B[2J\\x0Ab\\x7F é");
  EXPECT_EQ(printable("a\xC2\x9Bz\xE2\x80\xAEy\xffx"), "a\\xC2\\x9Bz\\xE2\\x80\\xAEy\\xFFx") << "C1, bidi, not UTF-8";
}

} // namespace cairn::cli::object_path_test
