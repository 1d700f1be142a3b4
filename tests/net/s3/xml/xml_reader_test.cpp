#include "net/s3/xml/xml_reader.hpp"

#include <gtest/gtest.h>

namespace cairn::net::xml_reader_test {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

bool reads(const std::string& body, const xml_bounds& bounds = {}) {
  return read_xml(body, bounds).has_value();
}

TEST(xml_reader, makes_a_tree_of_elements_and_texts) {
  const auto root =
      read_xml("<?xml version=\"1.0\"?><s:a xmlns:s=\"u\">\n <b>1</b><c x='>'><d/>\n</c><b>2</b></s:a>", {});
  ASSERT_TRUE(root);
  EXPECT_EQ(root->name, "a");
  ASSERT_EQ(root->children.size(), 3u);
  EXPECT_EQ(root->child("b")->text, "1");
  EXPECT_EQ(root->child("c")->text, "");
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

TEST(xml_reader, an_expiration_is_a_time_among_credentials_only) {
  EXPECT_TRUE(reads("<Credentials><Expiration>2026-11-30T13:15:42Z</Expiration></Credentials>"));
  EXPECT_FALSE(reads("<Rule><Expiration>2026-11-30T13:15:42Z</Expiration></Rule>"));
}

TEST(xml_reader, refuses_what_is_no_document) {
  for (const auto* bad : {"",
                          "hello",
                          "<a>",
                          "<a></b>",
                          "<a/><b/>",
                          "</a>",
                          "<a",
                          "<a b=\"></a>",
                          "<a>&#0;</a>",
                          "<a>&#x000;</a>",
                          "<a>&#4294967296;</a>",
                          "<a>\xff</a>",
                          "<!DOCTYPE a><a/>",
                          "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
                          "<a>&b;</a>",
                          "<a>&</a>",
                          "<a>&#xd800;</a>",
                          "<a>&#x110000;</a>",
                          "<a>&#-1;</a>",
                          "<a>&#x;</a>",
                          "<a>&#xX1;</a>",
                          "x<a/>",
                          "<a/>x",
                          "&#32;<a/>",
                          "<a/>&#32;",
                          "<![CDATA[ ]]><a/>",
                          "<a><![CDATA[</a>",
                          "<a><!-- -- --></a>",
                          "<a><!--></a>",
                          "<!-- --->",
                          "<a b></a>",
                          "<a b=c></a>",
                          "<a b='<'></a>",
                          "<a b=''c=''/>",
                          "<1/>",
                          "< a/>",
                          "<a>< /a>",
                          "<a></a b>",
                          "<p:a></q:a>",
                          "<a><?xml version='1.0'?></a>",
                          " <?xml version='1.0'?><a/>",
                          "<a/><?p",
                          "<a//>",
                          "<a>x<b/></a>",
                          "<a b='' c='' b=''/>",
                          "<TagSet>a=b</TagSet>",
                          "<x><Filter>&#65;</Filter></x>",
                          "<x><p:And><![CDATA[y]]></p:And></x>",
                          "<a><b/>&#65;</a>",
                          "<a><b/><![CDATA[x]]></a>",
                          "<?xml version='1.0' encoding='UTF-16'?><a/>",
                          "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
                          "<a>\xef\xbb\xbf</b>"}) {
    EXPECT_FALSE(reads(bad)) << bad;
  }
  EXPECT_FALSE(reads(std::string{"<a>\0</a>", 8}));
}

TEST(xml_reader, reads_what_writers_write) {
  EXPECT_EQ(
      read_xml("\xef\xbb\xbf<?xml version='1.0' encoding=\"utf-8\" standalone='no' ?>\r\n<a\tb = '>' />\n<!-- - -->",
               {})
          ->name,
      "a");
  const auto pretty = read_xml("<a>\r\n  <b>\r\n 1\r\n  </b><!-- c -->\n</a>", {});
  ASSERT_TRUE(pretty);
  EXPECT_EQ(pretty->text, ""); // indentation
  EXPECT_EQ(pretty->text_of("b"), "\n 1\n  ");
  EXPECT_EQ(pretty->child("b")->token(), "1");
  EXPECT_EQ(pretty->text_of("absent"), "");
  EXPECT_EQ(read_xml("<\xc3\xa4>\xc3\xa4\x01&#x10ffff;&#x7ff;&#xFFFD;</\xc3\xa4>", {})->text,
            "\xc3\xa4\x01\xf4\x8f\xbf\xbf\xdf\xbf\xef\xbf\xbd");
}

TEST(xml_reader, ignores_spaces_around_numbers_and_booleans) {
  const auto element = [](std::string_view text) { return xml_element{"n", std::string{text}, {}}; };
  EXPECT_EQ(xml_number(element("\n 007\t")), 7u);
  EXPECT_EQ(xml_number(element("+7")), 7u);
  EXPECT_EQ(xml_number(element("18446744073709551615")), ~0ull);
  constexpr auto* after_other_space = "\xc2\xa0"
                                      "1";
  for (const auto* bad : {"", " ", "-1", "1 2", "0x1", "1.0", "++1", "18446744073709551616", after_other_space})
    EXPECT_EQ(xml_number(element(bad)), std::nullopt) << bad;
  EXPECT_EQ(xml_boolean(element(" true\r\n")), true);
  EXPECT_EQ(xml_boolean(element("FALSE")), false);
  EXPECT_EQ(xml_boolean(element("1")), true);
  EXPECT_EQ(xml_boolean(element(" 0 ")), false);
  for (const auto* bad : {"", "yes", "2", "t rue"}) EXPECT_EQ(xml_boolean(element(bad)), std::nullopt) << bad;
}

TEST(xml_reader, is_bounded_while_it_parses) {
  const xml_bounds bounds{1000, 20, 3, 4};
  EXPECT_TRUE(reads("<a>" + repeated("<b/>", 18) + "</a>", bounds));
  EXPECT_FALSE(reads("<a>" + repeated("<b/>", 19) + "</a>", bounds));
  EXPECT_TRUE(reads("<a b='' c='' d=''/>", bounds));
  EXPECT_FALSE(reads("<a b='' c='' d='' e=''/>", bounds));
  EXPECT_TRUE(reads(repeated("<a>", 4) + repeated("</a>", 4), bounds));
  EXPECT_FALSE(reads(repeated("<a>", 5) + repeated("</a>", 5), bounds));
  EXPECT_FALSE(reads("<a>" + std::string(1000, 'x') + "</a>", bounds));
}

// Bodies by which a guard that scans for markup and a parser behind it come to see different documents.
TEST(xml_reader, does_not_go_deeper_whatever_stands_around_it) {
  constexpr std::size_t deep = 40'000;
  const xml_bounds wide{2 << 20, 1'000'000, 1'000'000, 16};
  const auto nested = repeated("<a>", deep) + repeated("</a>", deep);
  for (const auto* around :
       {"%", "<!--> <![CDATA[ -->%<!-- ]]> -->", "<!---> <![CDATA[ -->%<!-- ]]> -->", "<?x <!-- ?>%<?x --> ?>",
        "<?x?><![CDATA[%]]>", "<r a='<![CDATA['>%</r a=']]>'>", "<r><![CDATA[]]>%</r>", "<r a=\">\" b='<!--'>%</r>"}) {
    const std::string frame = around;
    const auto at = frame.find('%');
    EXPECT_FALSE(reads(frame.substr(0, at) + nested + frame.substr(at + 1), wide)) << around;
  }
  EXPECT_FALSE(reads(repeated("<a>", 100'000), wide));
  EXPECT_FALSE(reads(repeated("<a ", 100'000), wide));
  EXPECT_FALSE(reads(repeated("<![CDATA[", 100'000), wide));
  EXPECT_TRUE(reads("<a>" + repeated("<b/><!----><?p?>", 50'000) + "</a>", wide));
}

} // namespace cairn::net::xml_reader_test
