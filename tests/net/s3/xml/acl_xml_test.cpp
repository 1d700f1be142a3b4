#include "net/s3/xml/acl_xml.hpp"

#include <gtest/gtest.h>

namespace cairn::net::acl_xml_test {

const std::string owner = "<Owner><ID>cairn</ID></Owner>";

std::string grant(const std::string& to, const std::string& permission) {
  return "<Grant><Grantee>" + to + "</Grantee><Permission>" + permission + "</Permission></Grant>";
}
std::string to_owner(const std::string& permission = "FULL_CONTROL") {
  return grant("<ID>cairn</ID><DisplayName>cairn</DisplayName>", permission);
}
std::string to_group(const std::string& group, const std::string& permission) {
  return grant("<URI>http://acs.amazonaws.com/groups/global/" + group + "</URI>", permission);
}
std::string policy(const std::string& grants, const std::string& who = owner) {
  return "<AccessControlPolicy>" + who + "<AccessControlList>" + grants + "</AccessControlList></AccessControlPolicy>";
}
std::string code_of(const std::string& body) {
  const auto read = read_acl_document(body);
  const auto* refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : std::string{};
}

TEST(acl_xml, is_read_as_it_is_answered) {
  for (const public_access said : {public_access{}, public_access{true, false}, public_access{true, true}}) {
    const auto read = std::get<public_access>(read_acl_document(acl_document(said)));
    EXPECT_EQ(read.read, said.read);
    EXPECT_EQ(read.write, said.write);
  }
  EXPECT_EQ(code_of(policy(to_owner("READ") + to_owner() + to_owner("WRITE_ACP"))), "");
}

TEST(acl_xml, is_refused_when_no_canned_list_says_the_same) {
  EXPECT_EQ(code_of(policy("")), "NotImplemented") << "nobody may do anything";
  EXPECT_EQ(code_of(policy(to_owner("READ"))), "NotImplemented");
  EXPECT_EQ(code_of(policy(to_owner() + to_group("AllUsers", "WRITE"))), "NotImplemented");
  EXPECT_EQ(code_of(policy(to_owner() + to_group("AllUsers", "READ_ACP"))), "NotImplemented");
  EXPECT_EQ(code_of(policy(to_owner() + to_group("AllUsers", "FULL_CONTROL"))), "NotImplemented");
  EXPECT_EQ(code_of(policy(to_owner() + to_group("AuthenticatedUsers", "READ"))), "NotImplemented");
  EXPECT_EQ(code_of(policy(to_owner() + grant("<EmailAddress>a@b</EmailAddress>", "READ"))), "NotImplemented");
  EXPECT_EQ(code_of(policy(to_owner() + grant("<ID>somebody</ID>", "READ"))), "InvalidArgument");
  EXPECT_EQ(code_of(policy(to_owner(), "<Owner><ID>somebody</ID></Owner>")), "AccessDenied");
}

TEST(acl_xml, is_malformed_with_elements_that_s3_does_not_know) {
  EXPECT_EQ(code_of("<AccessControlPolicy/>"), "MalformedXML");
  EXPECT_EQ(code_of("hello"), "MalformedXML");
  EXPECT_EQ(code_of(policy(to_owner() + "<Deny/>")), "MalformedXML");
  EXPECT_EQ(code_of(policy(to_owner("EVERYTHING"))), "MalformedXML");
  EXPECT_EQ(code_of(policy(grant("<ID>cairn</ID><Until>tomorrow</Until>", "READ"))), "MalformedXML");
  EXPECT_EQ(code_of(policy(to_owner(), owner + "<Colour/>")), "MalformedXML");
  EXPECT_EQ(code_of(policy(to_owner(), "")), "MalformedXML");
}

} // namespace cairn::net::acl_xml_test
