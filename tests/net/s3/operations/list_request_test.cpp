#include "net/s3/operations/list_request.hpp"

#include "net/wire/grammar/base64.hpp"

#include <gtest/gtest.h>

namespace cairn::net::list_request_test {

list_request of(std::string_view target) {
  auto parsed = read_list_request(parse_s3_target(target).value(), 1000);
  EXPECT_TRUE(std::holds_alternative<list_request>(parsed)) << target;
  return std::get<list_request>(parsed);
}
std::string_view refusal(std::string_view target) {
  const auto parsed = read_list_request(parse_s3_target(target).value(), 1000);
  const auto* refused = std::get_if<s3_error>(&parsed);
  return refused ? refused->code : "";
}
TEST(list_request, reads_version_2) {
  const auto list = of("/files?list-type=2&prefix=a%2F&delimiter=%2F&max-keys=7&start-after=a%2Fb&encoding-type=url");
  EXPECT_TRUE(list.version_2);
  EXPECT_EQ(list.query.bucket, "files");
  EXPECT_EQ(list.query.prefix, "a/");
  EXPECT_EQ(list.query.delimiter, "/");
  EXPECT_EQ(list.query.keys_max, 7u);
  EXPECT_EQ(list.query.start_after, "a/b");
  EXPECT_FALSE(list.query.passes_group) << "compared with keys";
  EXPECT_TRUE(list.encode_url);
}

TEST(list_request, lets_the_continuation_token_win) {
  const auto list = of("/files?list-type=2&start-after=a&continuation-token=" + base64url_encode("k\xc3\xa4y"));
  EXPECT_EQ(list.query.start_after, "k\xc3\xa4y");
  EXPECT_EQ(list.start_after, "a") << "repeated in the answer";
  EXPECT_TRUE(list.query.passes_group) << "a common prefix ended the page before";
}

TEST(list_request, reads_version_1_with_its_marker) {
  const auto list = of("/files?marker=m&continuation-token=ignored");
  EXPECT_FALSE(list.version_2);
  EXPECT_EQ(list.query.start_after, "m");
  EXPECT_TRUE(list.query.passes_group);
  EXPECT_EQ(list.query.keys_max, 1000u);
}

TEST(list_request, takes_an_empty_continuation_token_for_the_beginning) {
  const auto list = of("/files?list-type=2&start-after=a&continuation-token=");
  EXPECT_EQ(list.query.start_after, "a");
  EXPECT_FALSE(list.query.passes_group);
  EXPECT_EQ(list.token, "") << "repeated in the answer";
}

TEST(list_request, names_owners_in_version_1_and_when_asked) {
  EXPECT_TRUE(of("/files").with_owner);
  EXPECT_FALSE(of("/files?list-type=2").with_owner);
  EXPECT_FALSE(of("/files?list-type=2&fetch-owner=false").with_owner);
  EXPECT_TRUE(of("/files?list-type=2&fetch-owner=true").with_owner);
}

TEST(list_request, caps_the_keys_and_takes_none_at_all) {
  EXPECT_EQ(of("/files?list-type=2&max-keys=5000").query.keys_max, 1000u);
  EXPECT_EQ(of("/files?list-type=2&max-keys=0").query.keys_max, 0u);
}

TEST(list_request, refuses_texts_that_no_answer_can_repeat) {
  for (const auto* name : {"prefix", "delimiter", "marker", "start-after", "key-marker", "upload-id-marker",
                           "version-id-marker", "continuation-token"}) {
    const auto asked = [name](std::string_view value, std::string_view more = "") {
      const auto target = parse_s3_target("/files?" + std::string{name} + "=" + std::string{value} + std::string{more});
      const auto refused = refused_texts(target.value());
      return refused ? std::string{refused->code} : "";
    };
    EXPECT_EQ(asked("a%FFb"), "InvalidArgument") << name;
    EXPECT_EQ(asked("%ED%A0%80"), "InvalidArgument") << name << ": a surrogate";
    EXPECT_EQ(asked("a%FFb", "&encoding-type=url"), "InvalidArgument") << name;
    EXPECT_EQ(asked("a%00"), "InvalidArgument") << name;
    EXPECT_EQ(asked("a%00", "&encoding-type=url"), "") << name << ": %00 in the answer";
    EXPECT_EQ(asked("%C3%A4%01%0A"), "") << name;
  }
  EXPECT_EQ(refusal("/files?list-type=2&start-after=%FF"), "InvalidArgument");
  EXPECT_FALSE(refused_texts(parse_s3_target("/files?other=%FF").value())) << "not repeated";
}

TEST(list_request, refuses_what_it_cannot_read) {
  for (const auto* bad : {"max-keys=x", "max-keys=-1", "max-keys=1x", "max-keys=99999999999", "list-type=3",
                          "encoding-type=xml", "list-type=2&continuation-token=%21"}) {
    EXPECT_EQ(refusal(std::string{"/files?"} + bad), "InvalidArgument") << bad;
  }
}

} // namespace cairn::net::list_request_test
