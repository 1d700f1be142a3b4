#include "net/s3/signed_query.hpp"

#include <gtest/gtest.h>

namespace cairn::net::signed_query_test {

namespace http = boost::beast::http;

constexpr std::string_view signature =
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k/20130524/us-east-1/s3/aws4_request&X-Amz-Date=20130524T000000Z"
    "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00&x-id=PutObject";

struct head_and_query {
  http::header<true, http::fields> head;
  request asked;
  std::string refused; // the code; empty: not refused

  std::string field(const std::string& name) const { return std::string{head[name]}; }
};

head_and_query take(const std::string& query, const std::vector<std::pair<std::string, std::string>>& headers = {},
                    http::verb method = http::verb::put) {
  head_and_query out;
  out.head.method(method);
  for (const auto& [name, value] : headers) out.head.insert(name, value);
  out.asked.target = parse_s3_target("/b/k?" + query).value();
  if (const auto refused = take_query_headers(out.head, out.asked)) out.refused = refused->code;
  return out;
}

std::string presigned(const std::string& more) {
  return std::string{signature}.append("&").append(more);
}

TEST(signed_query, says_what_headers_would_say) {
  const auto taken = take(presigned("x-amz-meta-Colour=%20b+lue&X-Amz-Acl=public-read&Content-Type=text%2Fplain"
                                    "&x-amz-copy-source=%2Fb%2Fother&if-none-match=*&colour=red"));
  EXPECT_EQ(taken.refused, "");
  EXPECT_EQ(taken.field("x-amz-meta-colour"), "b lue");
  EXPECT_EQ(taken.field("x-amz-acl"), "public-read");
  EXPECT_EQ(taken.field("content-type"), "text/plain");
  EXPECT_EQ(taken.field("x-amz-copy-source"), "/b/other");
  EXPECT_EQ(taken.field("if-none-match"), "*");
  EXPECT_EQ(taken.asked.query_headers, (std::vector<std::string>{"x-amz-meta-colour", "x-amz-acl", "content-type",
                                                                 "x-amz-copy-source", "if-none-match"}));
  EXPECT_EQ(std::distance(taken.head.begin(), taken.head.end()), 5) << "no parameter of the signature is a header";
}

TEST(signed_query, and_headers_agree_or_the_request_is_refused) {
  EXPECT_EQ(take(presigned("x-amz-acl=private"), {{"X-Amz-Acl", "private"}}).refused, "");
  EXPECT_TRUE(take(presigned("x-amz-acl=private"), {{"X-Amz-Acl", "private"}}).asked.query_headers.empty());
  EXPECT_EQ(take(presigned("x-amz-acl=private"), {{"X-Amz-Acl", "public-read"}}).refused, "InvalidArgument");
  EXPECT_EQ(take(presigned("x-amz-acl=private&X-Amz-Acl=public-read")).refused, "InvalidArgument");
  EXPECT_EQ(take(presigned("x-amz-acl=private"), {{"X-Amz-Acl", "private"}, {"X-Amz-Acl", "private"}}).refused,
            "InvalidArgument");
  EXPECT_EQ(take(presigned("Content-Length=3"), {{"Content-Length", "3"}}).refused, "");
  EXPECT_EQ(take(presigned("Content-Length=3"), {{"Content-Length", "4"}}).refused, "InvalidArgument");
  EXPECT_EQ(take(presigned("Content-Length=3"), {{"Transfer-Encoding", "chunked"}}).refused, "InvalidArgument");
  EXPECT_EQ(take(presigned("Content-Length=0")).refused, "");
  EXPECT_EQ(take(presigned("Content-Length=0")).field("content-length"), "")
      << "no header is made up that frames a body";
}

TEST(signed_query, says_everything_once) {
  EXPECT_EQ(take(presigned("x-amz-acl=private&x-amz-acl=private")).refused, "InvalidArgument");
  EXPECT_EQ(take(presigned("Content-Type=a&content-type=a")).refused, "InvalidArgument");
  EXPECT_EQ(take(presigned("x-amz-sdk-checksum-algorithm=CRC32&x-amz-sdk-checksum-algorithm=SHA1")).refused,
            "InvalidArgument");
  EXPECT_EQ(take(presigned("colour=red&colour=blue")).refused, "") << "no header";
}

TEST(signed_query, holds_nothing_that_no_header_can_have) {
  EXPECT_EQ(take(presigned("x-amz-meta-a=b%0D%0Ac:d")).refused, "InvalidArgument");
  EXPECT_EQ(take(presigned("x-amz-meta-a%0Ab=c")).refused, "InvalidArgument");
  EXPECT_EQ(take(presigned("x-amz-meta-a%3Ab=c")).refused, "InvalidArgument");
  EXPECT_EQ(take(presigned("x-amz-expires=70")).refused, "AuthorizationQueryParametersError");
  EXPECT_EQ(take(presigned("x-amz-security-token=t")).refused, "AuthorizationQueryParametersError");
}

TEST(signed_query, of_other_requests_has_no_headers) {
  EXPECT_EQ(take("x-amz-acl=public-read").refused, "InvalidArgument");
  EXPECT_EQ(take("x-amz-meta-a=b", {{"Authorization", "AWS4-HMAC-SHA256 …"}}).refused, "InvalidArgument");
  EXPECT_EQ(take("content-type=a&prefix=b").refused, "");
  EXPECT_EQ(take("content-type=a").field("content-type"), "");
  EXPECT_EQ(take(presigned("x-amz-acl=private"), {}, http::verb::options).refused, "");
  EXPECT_EQ(take(presigned("x-amz-acl=private"), {}, http::verb::options).field("x-amz-acl"), "");
}

TEST(signed_query, of_version_2_has_the_headers_that_it_signs) {
  const auto taken =
      take("AWSAccessKeyId=a&Signature=b&Expires=1&x-amz-acl=private&Content-Type=a&content-md5=b&cache-control=c");
  EXPECT_EQ(taken.refused, "");
  EXPECT_EQ(taken.field("x-amz-acl"), "private");
  EXPECT_EQ(taken.field("content-type"), "a");
  EXPECT_EQ(taken.field("content-md5"), "b");
  EXPECT_EQ(std::distance(taken.head.begin(), taken.head.end()), 3);
}

// What SDKs that presign an upload put there, as they have no body yet.
TEST(signed_query, has_no_checksum_where_it_is_that_of_no_bytes) {
  for (const std::string sum :
       {"x-amz-checksum-crc32=AAAAAA==", "x-amz-checksum-crc32c=AAAAAA==", "x-amz-checksum-crc64nvme=AAAAAAAAAAA=",
        "x-amz-checksum-sha1=2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk=",
        "x-amz-checksum-sha256=47DEQpj8HBSa%2B%2FTImW%2B5JCeuQeRkm5NMpJWZG3hSuFU="}) {
    const auto taken = take(presigned(sum + "&x-amz-sdk-checksum-algorithm=CRC32"));
    EXPECT_EQ(taken.refused, "") << sum;
    EXPECT_EQ(std::distance(taken.head.begin(), taken.head.end()), 0) << sum;
  }
}

TEST(signed_query, has_all_other_checksums) {
  const auto taken = take(presigned("x-amz-sdk-checksum-algorithm=CRC32&X-Amz-Checksum-Crc32=y%2FQ5Jg=="));
  EXPECT_EQ(taken.field("x-amz-checksum-crc32"), "y/Q5Jg==");
  EXPECT_EQ(taken.field("x-amz-sdk-checksum-algorithm"), "CRC32");
  const auto of_header = take(presigned("x-amz-sdk-checksum-algorithm=SHA256"), {{"x-amz-checksum-sha256", "x"}});
  EXPECT_EQ(of_header.field("x-amz-sdk-checksum-algorithm"), "SHA256");
}

} // namespace cairn::net::signed_query_test
