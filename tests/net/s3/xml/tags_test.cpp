#include "net/s3/xml/tags.hpp"

#include <gtest/gtest.h>

namespace cairn::net::tags_test {
std::string_view code_of(const auto& outcome) {
  const auto* refused = std::get_if<s3_error>(&outcome);
  return refused == nullptr ? "" : refused->code;
}

TEST(tags, come_as_a_header_or_a_document_and_go_as_a_document) {
  const auto tags = std::get<tag_list>(read_tagging_header("a=1&b=x+y%26&empty=&bare"));
  EXPECT_EQ(tags, (tag_list{{"a", "1"}, {"b", "x y&"}, {"bare", ""}, {"empty", ""}}));
  EXPECT_EQ(std::get<tag_list>(read_tagging(tagging_xml(tags))), tags);
  EXPECT_TRUE(std::get<tag_list>(read_tagging_header("")).empty());
  EXPECT_TRUE(std::get<tag_list>(read_tagging(tagging_xml({}))).empty());
}

TEST(tags, beyond_the_bounds_are_refused) {
  tag_list many;
  for (int i = 0; i < 11; ++i) many.emplace_back(std::to_string(i), "");
  EXPECT_EQ(code_of(read_tagging(tagging_xml(many))), "BadRequest");
  tag_list of_bucket;
  for (int i = 0; i < 50; ++i) of_bucket.emplace_back(std::to_string(i), "");
  EXPECT_EQ(std::get<tag_list>(read_tagging(tagging_xml(of_bucket), bucket_tags_max)), of_bucket);
  of_bucket.emplace_back("50", "");
  EXPECT_EQ(code_of(read_tagging(tagging_xml(of_bucket), bucket_tags_max)), "BadRequest");
  many.pop_back();
  EXPECT_EQ(code_of(read_tagging(tagging_xml(many))), "");
  std::string umlauts;
  for (int i = 0; i < 128; ++i) umlauts += "ü";
  EXPECT_EQ(code_of(read_tagging(tagging_xml({{umlauts, umlauts + umlauts}}))), "");
  EXPECT_EQ(code_of(read_tagging(tagging_xml({{umlauts + "u", ""}}))), "InvalidTag");
  EXPECT_EQ(code_of(read_tagging(tagging_xml({{"k", umlauts + umlauts + "u"}}))), "InvalidTag");
  EXPECT_EQ(code_of(read_tagging_header("a=1&a=2")), "InvalidTag");
  EXPECT_EQ(code_of(read_tagging_header("=1")), "InvalidArgument");
  EXPECT_EQ(code_of(read_tagging_header("a=%zz")), "InvalidArgument");
  for (const char* body : {"", "<Tagging/>", "<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>"})
    EXPECT_EQ(code_of(read_tagging(body)), "MalformedXML") << body;
}

TEST(tags, with_the_prefix_of_system_tags_are_refused) {
  for (const std::string key : {"aws:", "aws:cloudformation:stack-name"}) {
    EXPECT_EQ(code_of(read_tagging_header("a=1&" + key + "=2")), "InvalidTag");
    EXPECT_EQ(code_of(read_tagging(tagging_xml({{key, ""}}))), "InvalidTag");
    EXPECT_EQ(code_of(read_tagging(tagging_xml({{key, ""}}), bucket_tags_max)), "InvalidTag");
  }
  for (const std::string key : {"aws", "my-aws:x", " aws:x"})
    EXPECT_EQ(code_of(read_tagging(tagging_xml({{key, "aws:"}}))), "") << key;
}

} // namespace cairn::net::tags_test
