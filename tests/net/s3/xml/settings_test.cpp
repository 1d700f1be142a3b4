#include "net/s3/xml/settings.hpp"

#include <gtest/gtest.h>

namespace cairn::net::settings_test {

std::string answer(std::string_view sub_resource, bool of_object = false) {
  const auto setting = setting_answer(sub_resource, of_object);
  if (const auto* refused = std::get_if<s3_error>(&setting)) return std::string{refused->code};
  return std::get<std::string>(setting);
}

TEST(settings, that_were_never_made_are_empty_or_missing) {
  EXPECT_TRUE(location_document("us-east-1").ends_with("/\"></LocationConstraint>"));
  EXPECT_TRUE(location_document("eu-west-1").ends_with(">eu-west-1</LocationConstraint>"));
  EXPECT_EQ(answer("policy"), "NoSuchBucketPolicy");
  EXPECT_EQ(answer("tagging"), "NoSuchTagSet");
  EXPECT_EQ(answer("torrent", true), "NotImplemented");
}

TEST(settings, of_ownership_have_one_rule) {
  const auto read = [](const std::string& inside) {
    const auto ownership = read_ownership("<OwnershipControls>" + inside + "</OwnershipControls>");
    const auto* const refused = std::get_if<s3_error>(&ownership);
    return refused ? std::string{refused->code} : ownership_document(std::get<std::uint8_t>(ownership));
  };
  for (const std::string name : {"BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"}) {
    const auto rule = "<Rule><ObjectOwnership>" + name + "</ObjectOwnership></Rule>";
    EXPECT_NE(read(rule).find(rule), std::string::npos) << name;
    EXPECT_EQ(read(rule + rule), "MalformedXML");
    EXPECT_EQ(read(rule + "<Id>1</Id>"), "MalformedXML");
  }
  for (const char* const rule :
       {"", "<Rule/>", "<Rule><ObjectOwnership/></Rule>", "<Rule><ObjectOwnership>Nobody</ObjectOwnership></Rule>",
        "<Rule><Owner>ObjectWriter</Owner></Rule>"})
    EXPECT_EQ(read(rule), "MalformedXML") << rule;
  for (const char* const body : {"", "<Ownership/>", "BucketOwnerEnforced"})
    EXPECT_TRUE(std::holds_alternative<s3_error>(read_ownership(body))) << body;
}

} // namespace cairn::net::settings_test
