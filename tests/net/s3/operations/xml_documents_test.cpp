// What holds for every XML document that a request may carry.
#include "net/s3/operations/delete_request.hpp"
#include "net/s3/operations/multipart.hpp"
#include "net/s3/operations/versions_xml.hpp"
#include "net/s3/xml/acl_xml.hpp"
#include "net/s3/xml/cors.hpp"
#include "net/s3/xml/create_bucket_xml.hpp"
#include "net/s3/xml/lifecycle_xml.hpp"
#include "net/s3/xml/tags.hpp"

#include <gtest/gtest.h>

namespace cairn::net::xml_documents_test {

template <class Document>
const s3_error* refusal_of(const std::variant<Document, s3_error>& read) {
  return std::get_if<s3_error>(&read);
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// pugixml takes "<!-->" for the beginning of a comment; a scan for markup before it took it for a whole one.
TEST(xml_documents, are_refused_when_they_nest_deeper_than_the_stack) {
  const auto body = "<!--> <![CDATA[ -->" + repeated("<a>", 36'000) + repeated("</a>", 36'000) + "<!-- ]]> -->";
  ASSERT_LT(body.size(), lifecycle_body_bytes_max);
  const auto expect_refused = [](const auto& read) {
    const auto* refused = refusal_of(read);
    ASSERT_NE(refused, nullptr);
    EXPECT_EQ(refused->code, "MalformedXML");
  };
  expect_refused(read_delete_request(body));
  expect_refused(read_complete_request(body));
  expect_refused(read_lifecycle_document(body));
  expect_refused(read_cors_document(body));
  expect_refused(read_tagging(body));
  expect_refused(read_versioning_document(body));
  expect_refused(read_create_bucket(body, "us-east-1"));
  expect_refused(read_acl_document(body, false));
}

TEST(xml_documents, may_have_spaces_around_all_that_is_no_free_text) {
  const auto deletion = read_delete_request(
      "<Delete>\n <Quiet>\n true\n </Quiet>\n <Object>\n <Key> k </Key>\n <VersionId> null </VersionId>"
      "<ETag>\t\"x\"\n</ETag><Size> 7 </Size><LastModifiedTime> Wed, 21 Oct 2015 07:28:00 GMT </LastModifiedTime>\n"
      "</Object>\n</Delete>");
  ASSERT_EQ(refusal_of(deletion), nullptr);
  const auto& deleted = std::get<delete_request>(deletion);
  EXPECT_TRUE(deleted.quiet);
  EXPECT_EQ(deleted.entries.at(0).key, " k "); // a key is free text
  EXPECT_TRUE(deleted.entries[0].version);
  EXPECT_FALSE(deleted.entries[0].failed);

  const std::string md5(32, 'a');
  const auto completion =
      read_complete_request("<CompleteMultipartUpload><Part><PartNumber>\n 1\n </PartNumber><ETag>\n \"" + md5 +
                            "\"\n</ETag><ChecksumCRC32> AAAAAA== </ChecksumCRC32></Part></CompleteMultipartUpload>");
  ASSERT_EQ(refusal_of(completion), nullptr);
  EXPECT_EQ(std::get<std::vector<named_part>>(completion).at(0).chosen.number, 1u);
  EXPECT_EQ(std::get<std::vector<named_part>>(completion)[0].checksum, "AAAAAA==");

  const auto lifecycle = read_lifecycle_document(
      "<LifecycleConfiguration><Rule><ID>1</ID><Filter><ObjectSizeGreaterThan> 5 </ObjectSizeGreaterThan></Filter>"
      "<Status> Enabled </Status><Expiration><Days>\n 7\n</Days></Expiration><NoncurrentVersionExpiration>"
      "<NoncurrentDays> 3 </NoncurrentDays></NoncurrentVersionExpiration></Rule><Rule><ID>2</ID><Filter/><Status>\n"
      "Disabled</Status><Expiration><Date> 2030-01-01T00:00:00Z </Date></Expiration></Rule><Rule><ID>3</ID><Filter/>"
      "<Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker> true </ExpiredObjectDeleteMarker></Expiration>"
      "<AbortIncompleteMultipartUpload><DaysAfterInitiation> 2 </DaysAfterInitiation></AbortIncompleteMultipartUpload>"
      "</Rule></LifecycleConfiguration>");
  ASSERT_EQ(refusal_of(lifecycle), nullptr) << refusal_of(lifecycle)->message;
  const auto& rules = std::get<lifecycle_rule_list>(lifecycle);
  EXPECT_EQ(rules.at(0).expire_days, 7u);
  EXPECT_EQ(rules.at(0).noncurrent_days, 3u);
  EXPECT_EQ(rules.at(0).size_above, 5u);
  EXPECT_FALSE(rules.at(1).enabled);
  EXPECT_NE(rules.at(1).expire_at, 0);
  EXPECT_TRUE(rules.at(2).expire_markers);
  EXPECT_EQ(rules.at(2).abort_days, 2u);

  const auto cors = read_cors_document(
      "<CORSConfiguration><CORSRule><AllowedMethod>\n GET\n</AllowedMethod><AllowedOrigin> * </AllowedOrigin>"
      "<MaxAgeSeconds>\n 600 </MaxAgeSeconds></CORSRule></CORSConfiguration>");
  ASSERT_EQ(refusal_of(cors), nullptr);
  EXPECT_EQ(std::get<cors_rules>(cors).at(0).max_age_seconds, 600u);

  const auto acl = read_acl_document(
      "<AccessControlPolicy><Owner><ID> cairn "
      "</ID></Owner><AccessControlList><Grant><Grantee><ID>\ncairn\n</ID></Grantee>"
      "<Permission> FULL_CONTROL </Permission></Grant><Grant><Grantee><URI>\n"
      "http://acs.amazonaws.com/groups/global/AllUsers\n</URI></Grantee><Permission>\nREAD\n</Permission></Grant>"
      "</AccessControlList></AccessControlPolicy>",
      false);
  ASSERT_EQ(refusal_of(acl), nullptr) << refusal_of(acl)->message;
  EXPECT_TRUE(std::get<access_list>(acl).public_read);

  EXPECT_EQ(
      refusal_of(read_create_bucket("<CreateBucketConfiguration><LocationConstraint>\n here\n</LocationConstraint>"
                                    "</CreateBucketConfiguration>",
                                    "here")),
      nullptr);

  const auto versioning =
      read_versioning_document("<VersioningConfiguration><Status>\n Enabled\n</Status></VersioningConfiguration>");
  ASSERT_EQ(refusal_of(versioning), nullptr);
  EXPECT_EQ(std::get<std::uint8_t>(versioning), storage::metadata::versioning::enabled);
}

TEST(xml_documents, are_refused_when_a_number_or_boolean_is_none) {
  EXPECT_NE(refusal_of(read_delete_request("<Delete><Quiet>maybe</Quiet><Object><Key>k</Key></Object></Delete>")),
            nullptr);
  EXPECT_NE(refusal_of(read_complete_request("<CompleteMultipartUpload><Part><PartNumber>1 2</PartNumber></Part>"
                                             "</CompleteMultipartUpload>")),
            nullptr);
  EXPECT_NE(refusal_of(read_lifecycle_document(
                "<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>"
                "yes</ExpiredObjectDeleteMarker></Expiration><NoncurrentVersionExpiration><NoncurrentDays>1"
                "</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>")),
            nullptr);
}

} // namespace cairn::net::xml_documents_test
