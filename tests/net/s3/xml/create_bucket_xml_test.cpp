#include "net/s3/xml/create_bucket_xml.hpp"

#include <gtest/gtest.h>

namespace cairn::net::create_bucket_xml_test {

std::string code_of(const std::string& inside, std::string_view region = "eu-west-1") {
  const auto read = read_create_bucket("<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
                                           inside + "</CreateBucketConfiguration>",
                                       region);
  const auto* refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : std::string{};
}

TEST(create_bucket_xml, may_be_empty) {
  EXPECT_TRUE(std::get<tag_list>(read_create_bucket("", "us-east-1")).empty());
  EXPECT_EQ(code_of(""), "");
}

TEST(create_bucket_xml, names_the_region_or_is_refused) {
  EXPECT_EQ(code_of("<LocationConstraint>eu-west-1</LocationConstraint>"), "");
  EXPECT_EQ(code_of("<LocationConstraint>EU</LocationConstraint>"), "");
  EXPECT_EQ(code_of("<LocationConstraint/>"), "");
  EXPECT_EQ(code_of("<LocationConstraint>us-east-1</LocationConstraint>", "us-east-1"), "");
  EXPECT_EQ(code_of("<LocationConstraint>us-east-1</LocationConstraint>"), "IllegalLocationConstraintException");
  EXPECT_EQ(code_of("<LocationConstraint>EU</LocationConstraint>", "us-east-1"), "IllegalLocationConstraintException");
}

TEST(create_bucket_xml, has_tags) {
  const auto read = read_create_bucket("<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>1</Value></Tag>"
                                       "<Tag><Key>b</Key><Value/></Tag></Tags></CreateBucketConfiguration>",
                                       "us-east-1");
  EXPECT_EQ(std::get<tag_list>(read), (tag_list{{"a", "1"}, {"b", ""}}));
  EXPECT_EQ(code_of("<Tags><Tag><Key>a</Key></Tag></Tags>"), "MalformedXML");
  EXPECT_EQ(code_of("<Tags><Tag><Key/><Value/></Tag></Tags>"), "InvalidTag");
}

TEST(create_bucket_xml, holds_nothing_that_is_dropped) {
  EXPECT_EQ(code_of("<Bucket><Type>Directory</Type></Bucket>"), "NotImplemented");
  EXPECT_EQ(code_of("<Location><Name>a</Name></Location>"), "NotImplemented");
  EXPECT_EQ(code_of("<Colour>blue</Colour>"), "MalformedXML");
  EXPECT_EQ(code_of("<LocationConstraint/><LocationConstraint>eu-west-1</LocationConstraint>"), "MalformedXML");
  for (const char* body : {"hello", "<Other/>", "<CreateBucketConfiguration>"})
    EXPECT_TRUE(std::holds_alternative<s3_error>(read_create_bucket(body, "us-east-1"))) << body;
}

} // namespace cairn::net::create_bucket_xml_test
