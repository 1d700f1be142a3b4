// Characters that are safe to print on a terminal.
#include "base/log.hpp"
#include "base/visible_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace cairn::storage {

namespace {

// One string for each character that must be escaped.
const std::string bad[] = {
    "\x1b",         std::string(1, '\0'), "\n",           "\x7f",         "\xC2\x80",     "\xC2\x9B",
    "\xC2\x9F",     "\xD8\x9C",           "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xA8", "\xE2\x80\xA9",
    "\xE2\x80\xAA", "\xE2\x80\xAE",       "\xE2\x81\xA6", "\xE2\x81\xA9", "\x9b",         "\xff",
    "\xC2",         "\xE2\x80",           "\xED\xA0\x80", "\xC0\x80"};
const std::string good[] = {"a", " ", "~", "é", "漢", "😀", "\xC2\xA0", "\xE2\x80\x90", "\xE2\x80\xAF", "\xE2\x81\xAA"};

} // namespace

TEST(visible_text, finds_characters_that_could_control_a_terminal) {
  for (const auto& text : bad) EXPECT_TRUE(drives_terminal(first_character(text))) << testing::PrintToString(text);
  for (const auto& text : good) {
    const auto c = first_character(text);
    EXPECT_FALSE(drives_terminal(c)) << text;
    EXPECT_TRUE(c.valid);
    EXPECT_EQ(c.bytes, text.size()) << text;
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

} // namespace cairn::storage
