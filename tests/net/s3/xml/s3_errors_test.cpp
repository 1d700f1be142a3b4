#include "net/s3/xml/s3_errors.hpp"

#include <gtest/gtest.h>
#include <pugixml.hpp>

namespace cairn::net::s3_errors_test {

// Requests that are refused for their bytes are repeated in the answer.
TEST(s3_errors, are_documents_that_parsers_take_whatever_the_request_held) {
  s3_error problem{400, "InvalidURI", "bad \xff here"};
  problem.details.emplace_back("ArgumentValue", std::string{"\0\x1b\xed\xa0\x80", 5});
  const auto xml = error_xml(problem, "/b/\xc3\xa4\x01\xc3<&>\xef\xbf\xbf", "id");
  pugi::xml_document document;
  ASSERT_TRUE(document.load_buffer(xml.data(), xml.size()));
  const auto root = document.child("Error");
  EXPECT_STREQ(root.child_value("Message"), "bad \xef\xbf\xbd here");
  EXPECT_STREQ(root.child_value("ArgumentValue"),
               "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); // one a byte
  EXPECT_STREQ(root.child_value("Resource"), "/b/\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd<&>\xef\xbf\xbd");
  EXPECT_EQ(xml.find("&#x"), std::string::npos) << "XML 1.0 has no references to control characters";
}

TEST(s3_errors, of_a_quota_name_the_limit) {
  const auto problem = s3_error_of({errc::quota_exceeded, "at most 5 bytes"});
  EXPECT_EQ(problem.status, 403u);
  EXPECT_EQ(problem.code, "QuotaExceeded");
  EXPECT_EQ(problem.message, "at most 5 bytes");
}

} // namespace cairn::net::s3_errors_test
