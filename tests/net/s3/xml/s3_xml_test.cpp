#include "net/s3/xml/s3_xml.hpp"

#include "net/s3/xml/s3_errors.hpp"
#include "net/wire/grammar/base64.hpp"

#include <gtest/gtest.h>
#include <pugixml.hpp>

namespace cairn::net::s3_xml_test {

pugi::xml_document parsed(const std::string& xml) {
  pugi::xml_document document;
  const auto outcome = document.load_buffer(xml.data(), xml.size(), pugi::parse_full);
  EXPECT_TRUE(outcome) << outcome.description() << "\n" << xml;
  return document;
}

storage::metadata::listing two_objects_and_a_prefix() {
  storage::metadata::listing page;
  page.objects = {{"a&b <\"c\">'", 12, {}, 784111777042}, {"z\xc3\xa4 \x01\n", 0, {}, 0}};
  page.common_prefixes = {"p/"};
  page.truncated = true;
  page.last = "z\xc3\xa4 \x01\n";
  return page;
}

TEST(s3_xml, lists_keys_so_that_any_parser_reads_them_back) {
  list_request request;
  request.query.bucket = "files";
  request.query.delimiter = "/";
  const auto document = parsed(list_objects_xml(request, two_objects_and_a_prefix()));
  const auto root = document.child("ListBucketResult");
  EXPECT_STREQ(root.attribute("xmlns").value(), "http://s3.amazonaws.com/doc/2006-03-01/");
  EXPECT_STREQ(root.child_value("Name"), "files");
  EXPECT_STREQ(root.child_value("KeyCount"), "3");
  EXPECT_STREQ(root.child_value("MaxKeys"), "1000");
  EXPECT_STREQ(root.child_value("IsTruncated"), "true");
  EXPECT_EQ(base64_decode(root.child_value("NextContinuationToken")), "z\xc3\xa4 \x01\n");
  const auto first = root.child("Contents");
  EXPECT_STREQ(first.child_value("Key"), "a&b <\"c\">'");
  EXPECT_STREQ(first.child_value("Size"), "12");
  EXPECT_STREQ(first.child_value("LastModified"), "1994-11-06T08:49:37.042Z");
  EXPECT_STREQ(first.child_value("ETag"), "\"00000000000000000000000000000000\"");
  EXPECT_STREQ(first.next_sibling("Contents").child_value("Key"), "z\xc3\xa4 \x01\n");
  EXPECT_STREQ(root.child("CommonPrefixes").child_value("Prefix"), "p/");
}

TEST(s3_xml, writes_no_character_that_xml_has_no_way_to_write) {
  xml_writer xml;
  const std::string_view text{"a\0\x01\xef\xbf\xbe\xef\xbf\xbf\xff\xc3\xa4\xef\xbf\xbd\xe2\x82&", 18};
  xml.text("T", text);
  EXPECT_NE(xml.take().find("<T>a\xef\xbf\xbd&#x1;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd"
                            "\xef\xbf\xbd&amp;</T>"),
            std::string::npos);
  EXPECT_NE(list_buckets_xml({}, {.prefix = "\x01"}).find("<Prefix>\xef\xbf\xbd</Prefix>"), std::string::npos);
}

TEST(s3_xml, encodes_names_as_urls_when_asked) {
  list_request request;
  request.encode_url = true;
  request.query.prefix = "a b";
  EXPECT_STREQ(parsed(list_objects_xml(request, {})).child("ListBucketResult").child_value("Prefix"), "a%20b");
  request.version_2 = false;
  const auto prefix_of_version_1 = [&](std::string prefix) {
    request.query.prefix = std::move(prefix);
    return std::string{parsed(list_objects_xml(request, {})).child("ListBucketResult").child_value("Prefix")};
  };
  EXPECT_EQ(prefix_of_version_1("a b\n\xc3\xa4"), "a b\n\xc3\xa4") << "the same, decoded or not";
  EXPECT_EQ(prefix_of_version_1("a+b%20/"), "a%2Bb%2520/");
  EXPECT_EQ(prefix_of_version_1("\x01"), "%01");
  request.query.prefix = "a b";
  request.version_2 = true;
  const auto document = parsed(list_objects_xml(request, two_objects_and_a_prefix()));
  const auto root = document.child("ListBucketResult");
  EXPECT_STREQ(root.child_value("EncodingType"), "url");
  EXPECT_STREQ(root.child("Contents").child_value("Key"), "a%26b%20%3C%22c%22%3E%27");
  EXPECT_STREQ(root.child("CommonPrefixes").child_value("Prefix"), "p/");
}

TEST(s3_xml, speaks_version_1_with_markers) {
  list_request request;
  request.version_2 = false;
  request.marker = "m";
  const auto document = parsed(list_objects_xml(request, two_objects_and_a_prefix()));
  const auto root = document.child("ListBucketResult");
  EXPECT_STREQ(root.child_value("Marker"), "m");
  EXPECT_FALSE(root.child("KeyCount"));
  EXPECT_FALSE(root.child("NextMarker")) << "only beside a delimiter";
  EXPECT_STREQ(root.child("Contents").child("Owner").child_value("ID"), "cairn");
  request.query.delimiter = "/";
  const auto folded = parsed(list_objects_xml(request, two_objects_and_a_prefix()));
  EXPECT_STREQ(folded.child("ListBucketResult").child_value("NextMarker"), "z\xc3\xa4 \x01\n");
}

TEST(s3_xml, leaves_owners_out_of_version_2_unless_asked) {
  list_request request;
  request.with_owner = false;
  request.token = "";
  const auto document = parsed(list_objects_xml(request, two_objects_and_a_prefix()));
  EXPECT_FALSE(document.child("ListBucketResult").child("Contents").child("Owner"));
  EXPECT_TRUE(document.child("ListBucketResult").child("ContinuationToken"));
}

TEST(s3_xml, lists_buckets) {
  const auto document = parsed(list_buckets_xml({{1, "files", 784111777042}, {2, "more", 0}}));
  const auto buckets = document.child("ListAllMyBucketsResult").child("Buckets");
  EXPECT_STREQ(buckets.first_child().child_value("Name"), "files");
  EXPECT_STREQ(buckets.first_child().child_value("CreationDate"), "1994-11-06T08:49:37.042Z");
  EXPECT_STREQ(buckets.last_child().child_value("Name"), "more");
}

TEST(s3_xml, lists_the_region_of_each_bucket_where_it_is_asked_for) {
  const auto region = [](const bucket_list_request& request) {
    return std::string{parsed(list_buckets_xml({{1, "files", 0}}, request))
                           .child("ListAllMyBucketsResult")
                           .child("Buckets")
                           .child("Bucket")
                           .child_value("BucketRegion")};
  };
  EXPECT_EQ(region({}), "");
  EXPECT_EQ(region({.region = "eu-1"}), "eu-1");
}

TEST(s3_xml, tells_where_the_list_of_buckets_goes_on) {
  const std::vector<storage::metadata::listed_bucket> page{{1, "a-1", 0}, {2, "a-2", 0}};
  const auto token = [&page](bool more) {
    return std::string{parsed(list_buckets_xml(page, {.prefix = "a-"}, more))
                           .child("ListAllMyBucketsResult")
                           .child_value("ContinuationToken")};
  };
  EXPECT_EQ(token(true), "a-2");
  EXPECT_EQ(token(false), "");
}

TEST(s3_xml, writes_errors_with_code_resource_and_request_id) {
  const auto document = parsed(error_xml(s3_error_of(error{errc::no_such_key}), "/files/<k>", "00ff"));
  const auto root = document.child("Error");
  EXPECT_STREQ(root.child_value("Code"), "NoSuchKey");
  EXPECT_STREQ(root.child_value("Resource"), "/files/<k>");
  EXPECT_STREQ(root.child_value("RequestId"), "00ff");
}

TEST(s3_errors, keep_the_node_s_faults_in_its_log) {
  const auto problem = s3_error_of(error{errc::corrupt, "segment 12 at 4096"});
  EXPECT_EQ(problem.status, 500u);
  EXPECT_EQ(problem.message.find("segment"), std::string::npos);
}

TEST(s3_errors, ask_to_come_back_when_the_node_is_busy) {
  for (const auto code : {errc::slow_down, errc::busy}) {
    const auto problem = s3_error_of(error{code});
    EXPECT_EQ(problem.status, 503u);
    EXPECT_EQ(problem.code, "SlowDown");
    EXPECT_EQ(problem.headers, "Retry-After: 1\r\n");
  }
  EXPECT_EQ(s3_error_of(error{errc::no_space}).status, 507u);
}

} // namespace cairn::net::s3_xml_test
