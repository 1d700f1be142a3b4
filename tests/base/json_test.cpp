#include "base/json.hpp"

#include <gtest/gtest.h>

namespace cairn::json_test {

TEST(json, keeps_members_in_the_order_in_which_they_were_added) {
  const json_object o{{"z", 1},       {"a", nullptr},       {"list", json_array{1, 2}},
                      {"flag", true}, {"of", {{"b", "x"}}}, {"big", ~std::uint64_t{0}},
                      {"below", -5}};
  EXPECT_EQ(json_text(o),
            R"({"z":1,"a":null,"list":[1,2],"flag":true,"of":{"b":"x"},"big":18446744073709551615,"below":-5})");
  EXPECT_EQ(json_text(json_object{}), "{}");
  EXPECT_EQ(json_text(json_array{}), "[]");
}

TEST(json, escapes_controls_and_replaces_bytes_that_are_no_utf8) {
  EXPECT_EQ(json_text(json_value("a\"b\\c\n\x01")), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(json_text(json_value("é日\U0001F600")), "\"é日\U0001F600\"");
  EXPECT_EQ(json_text(json_value("\xff\xc3")), R"("\ufffd\ufffd")");
  EXPECT_EQ(json_text(json_value("\xed\xa0\x80")), R"("\ufffd\ufffd\ufffd")");
  EXPECT_EQ(json_text(json_value("\x7f\xC2\x9B\xE2\x80\xAE")), R"("\u007f\u009b\u202e")");
  EXPECT_EQ(json_text(json_object{{"\x7f", "\n"}}), R"({"\u007f":"\n"})");
}

TEST(json, is_read_strictly_and_within_bounds) {
  const auto read = [](std::string_view text) { return read_json(text, 100, 3); };
  EXPECT_EQ(json_text(read(R"( {"a": [1, -2, "\u00e9"], "a": {}} )").value()), R"({"a":{}})");
  EXPECT_EQ(json_text(read("[[[]]]").value()), "[[[]]]");
  for (const auto* bad : {"", "[[[[]]]]", "{", "[1,]", "{'a': 1}", "[] []", "nul", "[1] x", "\"\xff\"", "/**/ 1", "01"})
    EXPECT_FALSE(read(bad)) << bad;
  EXPECT_TRUE(read("\"" + std::string(98, 'x') + "\""));
  EXPECT_FALSE(read("\"" + std::string(99, 'x') + "\""));
}

} // namespace cairn::json_test
