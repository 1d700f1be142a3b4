#include "cli/import/documents/access_list.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::access_list_test {

const std::string everybody_uri = "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>";

std::string grant(const std::string& grantee, const std::string& permission) {
  return "<Grant><Grantee>" + grantee + "</Grantee><Permission>" + permission + "</Permission></Grant>";
}

taken_grants grants_of(const std::string& grants) {
  const auto root =
      net::read_xml("<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList>" +
                        grant("<ID>me</ID>", "FULL_CONTROL") + grants + "</AccessControlList></AccessControlPolicy>",
                    {});
  EXPECT_TRUE(root);
  EXPECT_EQ(has_grants(*root), read_grants(*root).everybody_reads || !read_grants(*root).others.empty());
  return read_grants(*root);
}

TEST(access_list, of_the_owner_alone_grants_nothing) {
  const auto grants = grants_of("");
  EXPECT_FALSE(grants.everybody_reads || grants.everybody_writes);
  EXPECT_EQ(grants.others, "");
  EXPECT_EQ(canned_acl(grants), "");
}

TEST(access_list, lets_everybody_read_or_write) {
  const auto read = grants_of(grant(everybody_uri, "READ"));
  EXPECT_TRUE(read.everybody_reads && !read.everybody_writes && read.others.empty());
  EXPECT_EQ(canned_acl(read), "public-read");
  const auto both = grants_of(grant(everybody_uri, "WRITE") + grant(everybody_uri, "READ"));
  EXPECT_TRUE(both.everybody_reads && both.everybody_writes && both.others.empty());
  const auto document = net::read_xml(grants_xml(both), {});
  ASSERT_TRUE(document);
  EXPECT_EQ(document->child("Owner")->text_of("ID"), "cairn");
  EXPECT_EQ(document->child("AccessControlList")->children.size(), 3u);
}

TEST(access_list, names_the_grants_that_cairn_does_not_have) {
  const auto grants =
      grants_of(grant(everybody_uri, "WRITE") + grant(everybody_uri, "READ_ACP") + grant("<ID>bob</ID>", "READ") +
                grant("<URI>http://acs.amazonaws.com/groups/global/AuthenticatedUsers</URI>", "READ"));
  EXPECT_FALSE(grants.everybody_reads || grants.everybody_writes);
  EXPECT_EQ(grants.others, "READ_ACP of everybody, READ of bob, READ of AuthenticatedUsers, WRITE of everybody");
}

} // namespace cairn::cli::access_list_test
