#include "net/s3/body/body_checksums.hpp"

#include <gtest/gtest.h>

namespace cairn::net::body_checksums_test {

using boost::beast::http::fields;
using header_list = std::vector<std::pair<std::string, std::string>>;

fields of(const header_list& headers) {
  fields out;
  for (const auto& [name, value] : headers) out.insert(name, value);
  return out;
}

std::string_view refusal(const header_list& headers) {
  const auto announced = read_checksum(of(headers));
  const auto* refused = std::get_if<s3_error>(&announced);
  return refused ? refused->code : "";
}

std::string_view judged(const header_list& headers, std::string_view body = "123456789") {
  const auto refused = check_whole_body(of(headers), body);
  return refused ? refused->code : "";
}

TEST(body_checksums, are_read_from_headers_and_trailers) {
  const auto none = read_checksum(of({{"x-amz-checksum-mode", "ENABLED"}, {"x-amz-checksum-type", "FULL_OBJECT"}}));
  EXPECT_FALSE(std::get<0>(none));
  const auto header =
      read_checksum(of({{"X-Amz-Checksum-Crc32", "y/Q5Jg=="}, {"x-amz-sdk-checksum-algorithm", "CRC32"}}));
  EXPECT_EQ(std::get<0>(header)->kind, net::checksum_kind::crc32);
  EXPECT_EQ(std::get<0>(header)->value, "\xcb\xf4\x39\x26");
  const auto trailer = read_checksum(of({{"x-amz-trailer", "x-amz-checksum-sha256"}}));
  EXPECT_EQ(std::get<0>(trailer)->kind, net::checksum_kind::sha256);
  EXPECT_FALSE(std::get<0>(trailer)->value);
}

TEST(body_checksums, are_refused_when_they_cannot_be_meant) {
  EXPECT_EQ(refusal({{"x-amz-checksum-crc32", "y/Q5"}}), "InvalidRequest");
  EXPECT_EQ(refusal({{"x-amz-checksum-crc32", "?"}}), "InvalidRequest");
  EXPECT_EQ(refusal({{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-checksum-crc32c", "4waSgw=="}}), "InvalidRequest");
  EXPECT_EQ(refusal({{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-trailer", "x-amz-checksum-sha1"}}),
            "InvalidRequest");
  EXPECT_EQ(refusal({{"x-amz-sdk-checksum-algorithm", "CRC32"}}), "InvalidRequest");
  EXPECT_EQ(refusal({{"x-amz-trailer", "x-amz-meta-colour"}}), "InvalidRequest");
  EXPECT_EQ(refusal({{"x-amz-trailer", "x-amz-checksum-sha1,x-amz-checksum-crc32"}}), "InvalidRequest");
  EXPECT_EQ(refusal({{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-sdk-checksum-algorithm", "SHA1"}}),
            "InvalidRequest");
}

TEST(body_checksums, of_a_whole_body_are_checked) {
  EXPECT_EQ(judged({}), "");
  EXPECT_EQ(judged({{"Content-MD5", "JfnnlDI7RTiF9RgfG2JNCw=="}}), "");
  EXPECT_EQ(judged({{"Content-MD5", "JfnnlDI7RTiF9RgfG2JNCw=="}}, "12345678"), "BadDigest");
  EXPECT_EQ(judged({{"Content-MD5", "JfnnlDI7RTiF9RgfG2JN"}}), "InvalidDigest");
  EXPECT_EQ(judged({{"x-amz-checksum-crc32", "y/Q5Jg=="}}), "");
  EXPECT_EQ(judged({{"x-amz-checksum-crc32c", "4waDgw=="}}), "BadDigest");
  EXPECT_EQ(judged({{"x-amz-checksum-crc64nvme", "rosUhgp5mIg="}}), "");
}

TEST(body_checksums, that_trail_are_told_at_the_end) {
  checksum_check check{{net::checksum_kind::crc32, {}}};
  const std::string_view body = "123456789";
  ASSERT_TRUE(check.update(std::as_bytes(std::span{body})));
  EXPECT_FALSE(check.announce("nonsense"));
  EXPECT_TRUE(check.announce("y/Q5Jg=="));
  EXPECT_TRUE(check.finish());
  EXPECT_EQ(check.proven(), (actors::kept_headers{{"x-amz-checksum-crc32", "y/Q5Jg=="}}));
  checksum_check untold{{net::checksum_kind::crc32, {}}};
  EXPECT_EQ(untold.finish().error().code, errc::invalid_argument);
}

TEST(body_checksums, agree_or_refuse_together) {
  const std::string_view body = "123456789";
  for (const bool right : {true, false}) {
    const auto good = std::make_shared<checksum_check>(
        announced_checksum{net::checksum_kind::crc32, std::string{"\xcb\xf4\x39\x26"}});
    const auto other = std::make_shared<checksum_check>(
        announced_checksum{net::checksum_kind::crc32c, std::string{right ? "\xe3\x06\x92\x83" : "abcd"}});
    const auto check = both(good, other);
    ASSERT_TRUE(check->update(std::as_bytes(std::span{body})));
    EXPECT_EQ(check->finish().has_value(), right);
  }
  EXPECT_EQ(both(nullptr, nullptr), nullptr);
}

} // namespace cairn::net::body_checksums_test
