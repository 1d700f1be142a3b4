#include "net/wire/grammar/field_text.hpp"

#include <gtest/gtest.h>

namespace cairn::net::field_text_test {

TEST(field_text, loses_the_white_space_around_it) {
  EXPECT_EQ(trimmed(" \t a b\t "), "a b");
  EXPECT_EQ(trimmed(" \t "), "");
}

TEST(field_text, as_latin1_has_a_byte_for_each_character_up_to_u00ff) {
  EXPECT_EQ(as_latin1(""), "");
  EXPECT_EQ(as_latin1("plain \"text\""), "plain \"text\"");
  EXPECT_EQ(as_latin1("caf\xc3\xa9"), "caf\xe9");
  EXPECT_EQ(as_latin1("\xc2\x80\xc2\xbf\xc3\x80\xc3\xbf"), "\x80\xbf\xc0\xff");
}

TEST(field_text, as_latin1_refuses_other_characters_and_what_is_not_utf8) {
  EXPECT_FALSE(as_latin1("\xc4\x80")) << "U+0100";
  EXPECT_FALSE(as_latin1("\xe2\x80\x93")) << "a dash";
  EXPECT_FALSE(as_latin1("\xf0\x9f\x98\x80"));
  EXPECT_FALSE(as_latin1("\xc1\x81")) << "an overlong form of A";
  EXPECT_FALSE(as_latin1("\xe9")) << "ISO-8859-1 already";
  EXPECT_FALSE(as_latin1("\xc3")) << "cut";
  EXPECT_FALSE(as_latin1("\xc3z"));
  EXPECT_FALSE(as_latin1("\xa9"));
}

} // namespace cairn::net::field_text_test
