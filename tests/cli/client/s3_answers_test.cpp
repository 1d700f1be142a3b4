#include "cli/client/s3_answers.hpp"

#include "cli/client/command_support.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::s3_answers_test {

TEST(list_page, reads_keys_prefixes_and_the_token_and_undoes_the_url_encoding) {
  const auto page = parse_list_page(
      "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url"
      "</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>dG9r</NextContinuationToken><Contents><Key>"
      "a%0Ab%2Bc+d</Key><Size>5000000000</Size><ETag>&quot;abc&quot;</ETag><LastModified>2024-01-02T03:04:05.000Z"
      "</LastModified></Contents><CommonPrefixes><Prefix>dir%2F</Prefix></CommonPrefixes></ListBucketResult>");
  ASSERT_TRUE(page) << page.error().text;
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].key, "a\nb+c d");
  EXPECT_EQ(page->objects[0].size_bytes, 5'000'000'000u);
  EXPECT_EQ(page->objects[0].etag, "abc");
  EXPECT_EQ(page->prefixes, std::vector<std::string>{"dir/"});
  EXPECT_EQ(page->next_token, "dG9r");
}

TEST(list_page, without_an_encoding_keys_are_verbatim) {
  const auto page = parse_list_page("<ListBucketResult><Contents><Key>a+b%41</Key></Contents></ListBucketResult>");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects.at(0).key, "a+b%41");
  EXPECT_EQ(page->next_token, "");
}

TEST(list_page, refuses_what_is_no_listing_and_a_truncated_one_that_cannot_go_on) {
  EXPECT_FALSE(parse_list_page("garbage"));
  EXPECT_FALSE(parse_list_page("<Error><Code>NoSuchBucket</Code></Error>"));
  EXPECT_FALSE(parse_list_page("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"));
}

TEST(bucket_list, reads_names_and_dates) {
  const auto buckets = parse_bucket_list("<ListAllMyBucketsResult><Buckets><Bucket><Name>files</Name><CreationDate>now"
                                         "</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>");
  ASSERT_TRUE(buckets);
  ASSERT_EQ(buckets->size(), 1u);
  EXPECT_EQ(buckets->front().name, "files");
}

TEST(failure, names_the_servers_code_message_and_request) {
  http_response response;
  response.status = 404;
  response.headers = {{"X-Amz-Request-Id", "0123"}};
  response.body = "<Error><Code>NoSuchBucket</Code><Message>It is not here.</Message></Error>";
  const auto failure = failure_of(response, "b/k");
  EXPECT_EQ(failure.code, cairn::errc::no_such_bucket);
  EXPECT_EQ(failure.text, "b/k: NoSuchBucket: It is not here. (404, request 0123)");
}

TEST(failure, without_a_body_as_after_head_the_status_speaks) {
  http_response response;
  response.status = 404;
  EXPECT_EQ(failure_of(response, "b/k").text, "b/k: NotFound: no such bucket or object (404)");
  response.status = 507;
  EXPECT_EQ(failure_of(response, "b/k").code, cairn::errc::no_space);
}

TEST(etag, md5_is_told_from_a_multipart_etag) {
  EXPECT_EQ(etag_text("\"d41d8cd98f00b204e9800998ecf8427e\""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(etag_text("W/\"x\""), "x");
  EXPECT_TRUE(is_md5("d41d8cd98f00b204e9800998ecf8427e"));
  EXPECT_FALSE(is_md5("d41d8cd98f00b204e9800998ecf8427e-3"));
}

} // namespace cairn::cli::s3_answers_test
