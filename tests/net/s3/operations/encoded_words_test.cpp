#include "net/s3/operations/encoded_words.hpp"

#include "net/wire/grammar/base64.hpp"

#include <gtest/gtest.h>

namespace cairn::net::encoded_words_test {

TEST(encoded_words, leave_ascii_alone) {
  for (const auto* text : {"", "plain text, with \"signs\"", "=?UTF-8?B?w6Q=?=", "a\tb"})
    EXPECT_EQ(as_encoded_words(text), text);
}

TEST(encoded_words, carry_what_headers_may_not) {
  EXPECT_EQ(as_encoded_words("\xc3\xa4"), "=?UTF-8?B?w6Q=?=");
  EXPECT_EQ(as_encoded_words("a\r\nb"), "=?UTF-8?B?YQ0KYg==?=");
  EXPECT_EQ(as_encoded_words("gr\xfc\xdf"), "=?ISO-8859-1?B?Z3L83w==?="); // Latin-1, as it was sent
}

TEST(encoded_words, are_short_and_cut_no_character) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += i % 3 == 0 ? "\xe6\x97\xa5" : "\xf0\x9f\x98\x80";
  auto left = as_encoded_words(text) + " ";
  std::string decoded;
  while (!left.empty()) {
    const auto word = left.substr(0, left.find(' '));
    left.erase(0, word.size() + 1);
    ASSERT_LE(word.size(), 75u);
    ASSERT_TRUE(word.starts_with("=?UTF-8?B?") && word.ends_with("?="));
    const auto bytes = base64_decode(word.substr(10, word.size() - 12));
    ASSERT_TRUE(bytes);
    EXPECT_NE(static_cast<unsigned char>(bytes->front()) & 0xc0, 0x80);
    decoded += *bytes;
  }
  EXPECT_EQ(decoded, text);
}

TEST(field_value, is_sent_in_latin_1_where_that_has_all_characters) {
  EXPECT_EQ(as_field_value("inline; filename=\"a b.txt\""), "inline; filename=\"a b.txt\"");
  EXPECT_EQ(as_field_value("inline; filename=\"caf\xc3\xa9\""), "inline; filename=\"caf\xe9\"");
  EXPECT_EQ(as_field_value("inline; filename=\"caf\xe9\""), "inline; filename=\"caf\xe9\"") << "as it was sent";
}

TEST(field_value, keeps_its_parameters_when_words_are_encoded) {
  EXPECT_EQ(as_field_value("attachment; filename=\"\xe6\x97\xa5 \xc3\xa9.txt\"; filename*=UTF-8''%E6%97%A5"),
            "attachment; filename=\"=?UTF-8?B?5pelIMOpLnR4dA==?=\"; filename*=UTF-8''%E6%97%A5");
  EXPECT_EQ(as_field_value("\xe6\x97\xa5"), "=?UTF-8?B?5pel?=");
  EXPECT_EQ(as_field_value("a,  \xe6\x97\xa5 ,b="), "a,  =?UTF-8?B?5pel?= ,b=");
}

TEST(field_value, beyond_latin_1_is_ascii_and_loses_no_character) {
  std::string name;
  for (int i = 0; i < 60; ++i) name += "\xf0\x9f\x98\x80";
  const auto sent = as_field_value("attachment; filename=" + name);
  EXPECT_TRUE(std::all_of(sent.begin(), sent.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
  EXPECT_EQ(sent, "attachment; filename=" + as_encoded_words(name));
}

} // namespace cairn::net::encoded_words_test
