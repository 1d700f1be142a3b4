// Characters that are safe to print on a terminal.
#include "base/log.hpp"
#include "base/visible_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace cairn::visible_text_test {

// One string for each character that must be escaped.
const std::string bad[] = {
    "\x1b",         std::string(1, '\0'), "\n",           "\x7f",         "\xC2\x80",     "\xC2\x9B",
    "\xC2\x9F",     "\xD8\x9C",           "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xA8", "\xE2\x80\xA9",
    "\xE2\x80\xAA", "\xE2\x80\xAE",       "\xE2\x81\xA6", "\xE2\x81\xA9", "\x9b",         "\xff",
    "\xC2",         "\xE2\x80",           "\xED\xA0\x80", "\xC0\x80"};
const std::string good[] = {"a", " ", "~", "é", "漢", "😀", "\xC2\xA0", "\xE2\x80\x90", "\xE2\x80\xAF", "\xE2\x81\xAA"};

TEST(visible_text, finds_characters_that_could_control_a_terminal) {
  for (const auto& text : bad) EXPECT_TRUE(drives_terminal(first_character(text))) << testing::PrintToString(text);
  for (const auto& text : good) {
    const auto c = first_character(text);
    EXPECT_FALSE(drives_terminal(c)) << text;
    EXPECT_TRUE(c.valid);
    EXPECT_EQ(c.bytes, text.size()) << text;
  }
}

TEST(visible_text, decodes_the_first_and_last_characters_of_each_length_and_nothing_else) {
  const std::pair<std::string, char32_t> ends[] = {
      {std::string(1, '\0'), 0},     {"\x7f", 0x7F},           {"\xC2\x80", 0x80},
      {"\xDF\xBF", 0x7FF},           {"\xE0\xA0\x80", 0x800},  {"\xED\x9F\xBF", 0xD7FF},
      {"\xEE\x80\x80", 0xE000},      {"\xEF\xBF\xBF", 0xFFFF}, {"\xF0\x90\x80\x80", 0x10000},
      {"\xF4\x8F\xBF\xBF", 0x10FFFF}};
  for (const auto& [text, code] : ends) {
    const auto c = first_character(text + "z");
    EXPECT_TRUE(c.valid) << testing::PrintToString(text);
    EXPECT_TRUE(c.code == code) << testing::PrintToString(text);
    EXPECT_EQ(c.bytes, text.size()) << testing::PrintToString(text);
  }
  for (const std::string text :
       {"\x80", "\xBF", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xF0\x9F\x92", "\xE2\x28\xA1"}) {
    const auto c = first_character(text);
    EXPECT_FALSE(c.valid) << testing::PrintToString(text);
    EXPECT_EQ(c.bytes, 1) << "one byte that is not UTF-8";
  }
}

TEST(visible_text, log_lines_escape_such_characters_in_both_formats) {
  for (const bool json : {false, true}) {
    for (const auto& text : bad) {
      const auto line = log::line_of("event", {{"key", "x" + text + "y"}}, json);
      for (std::size_t at = 0; at < line.size();) {
        const auto c = first_character(std::string_view{line}.substr(at));
        EXPECT_FALSE(drives_terminal(c)) << json << " " << testing::PrintToString(text) << " " << line;
        at += c.bytes;
      }
    }
  }
  EXPECT_EQ(log::line_of("e", {{"key", "a\xC2\x9Bz"}}, false), "e key=\"a\\u009bz\"");
  EXPECT_EQ(log::line_of("e", {{"key", "a\xE2\x80\xAEz"}}, true), "\"event\":\"e\",\"key\":\"a\\u202ez\"");
  EXPECT_EQ(log::line_of("e", {{"key", "漢😀"}}, false), "e key=漢😀");
}

} // namespace cairn::visible_text_test
