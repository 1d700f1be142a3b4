#include "net/xml_reader.hpp"

#include <gtest/gtest.h>

namespace cairn::net {

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

bool reads(const std::string& body, const xml_bounds& bounds = {}) {
  return read_xml(body, bounds).has_value();
}

} // namespace

TEST(xml_reader, makes_a_tree_of_elements_and_texts) {
  const auto root =
      read_xml("<?xml version=\"1.0\"?><s:a xmlns:s=\"u\">\n <b>1</b><c x='>'><d/>t</c><b>2</b></s:a>", {});
  ASSERT_TRUE(root);
  EXPECT_EQ(root->name, "a");
  ASSERT_EQ(root->children.size(), 3u);
  EXPECT_EQ(root->child("b")->text, "1");
  EXPECT_EQ(root->child("c")->text, "t");
  EXPECT_EQ(root->child("c")->children.size(), 1u);
  EXPECT_EQ(root->child("absent"), nullptr);
}

TEST(xml_reader, keeps_every_byte_of_a_text) {
  const auto text = [](const std::string& inside) { return read_xml("<k>" + inside + "</k>", {})->text; };
  EXPECT_EQ(text(" "), " ");
  EXPECT_EQ(text(" a  b "), " a  b ");
  EXPECT_EQ(text("a&amp;b&lt;&#x1;&#10;&#13;\xc3\xa4"), "a&b<\x01\n\r\xc3\xa4");
  EXPECT_EQ(text("<![CDATA[<x>]]>&gt;"), "<x>>");
}

TEST(xml_reader, refuses_what_is_no_document) {
  for (const auto* bad :
       {"", "hello", "<a>", "<a></b>", "<a/><b/>", "</a>", "<a", "<a b=\"></a>", "<a>&#0;</a>", "<a>&#x000;</a>",
        "<a>&#4294967296;</a>", "<a>\xff</a>", "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"}) {
    EXPECT_FALSE(reads(bad)) << bad;
  }
  EXPECT_FALSE(reads(std::string{"<a>\0</a>", 8}));
}

TEST(xml_reader, is_bounded_before_it_parses) {
  const xml_bounds bounds{1000, 20, 3, 4};
  EXPECT_TRUE(reads("<a>" + repeated("<b/>", 18) + "</a>", bounds));
  EXPECT_FALSE(reads("<a>" + repeated("<b/>", 19) + "</a>", bounds));
  EXPECT_TRUE(reads("<a b='' c='' d=''/>", bounds));
  EXPECT_FALSE(reads("<a b='' c='' d='' e=''/>", bounds));
  EXPECT_TRUE(reads(repeated("<a>", 4) + repeated("</a>", 4), bounds));
  EXPECT_FALSE(reads(repeated("<a>", 5) + repeated("</a>", 5), bounds));
  EXPECT_FALSE(reads("<a>" + std::string(1000, 'x') + "</a>", bounds));
}

} // namespace cairn::net
