// The example of AWS's documentation ("Signing and authenticating REST requests", query string), others whose
// signatures come from another implementation, and what must be refused.
#include "net/s3/auth/sigv2.hpp"
#include "net/s3/router.hpp"

#include <gtest/gtest.h>

namespace cairn::net::sigv2_test {

constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr wall_ms until = 1175139620000;

struct example {
  std::string method = "GET", target;
  std::vector<header_view> headers{};
  std::string bucket = "johnsmith"; // that the host names
  wall_ms now = until;

  // "" when the request is good, else the code of the refusal.
  std::string judge() const {
    const auto parsed = parse_target(target).value();
    const signed_request request{method, parsed.path, parsed.query, headers};
    EXPECT_TRUE(carries_credentials(request));
    const auto read = read_signature(request);
    if (const auto* refused = std::get_if<s3_error>(&read)) return std::string{refused->code};
    const auto& claim = std::get<signature_claim>(read);
    EXPECT_TRUE(claim.version_2 && claim.presigned);
    EXPECT_EQ(claim.access_key, "AKIAIOSFODNN7EXAMPLE");
    if (const auto refused = check_claim(claim, "any region", now)) return std::string{refused->code};
    const auto refused = check_presigned_2(claim, request, bucket, secret, is_sub_resource);
    return refused ? std::string{refused->code} : "";
  }
};

std::string presigned(const std::string& path, const std::string& signature, const std::string& more = "") {
  return path + "?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=" + signature + "&Expires=1175139620" + more;
}

const std::string puppy = presigned("/photos/puppy.jpg", "NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D");

TEST(sigv2, takes_the_example_of_the_documentation) {
  EXPECT_EQ((example{.target = puppy}).judge(), "");
  EXPECT_EQ((example{.target = puppy, .now = until + 1}).judge(), "AccessDenied");
  EXPECT_EQ((example{.method = "HEAD", .target = puppy}).judge(), "SignatureDoesNotMatch");
  EXPECT_EQ((example{.target = puppy, .bucket = "other"}).judge(), "SignatureDoesNotMatch");
  EXPECT_EQ((example{.target = puppy, .bucket = ""}).judge(), "SignatureDoesNotMatch");
  const auto in_path = presigned("/johnsmith/photos/puppy.jpg", "NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D");
  EXPECT_EQ((example{.target = in_path, .bucket = ""}).judge(), "");
}

TEST(sigv2, takes_a_bucket_with_and_without_a_slash) {
  for (const auto* signature : {"O0v6SWPdo4x4nFD0qcXbN1ErM%2F8%3D", "C2UQEgXq2OUblYhiCn4CbBlpja8%3D"}) {
    EXPECT_EQ((example{.target = presigned("/johnsmith", signature), .bucket = ""}).judge(), "") << signature;
    EXPECT_EQ((example{.target = presigned("/johnsmith/", signature), .bucket = ""}).judge(), "") << signature;
    EXPECT_EQ((example{.target = presigned("/", signature)}).judge(), "") << signature;
    EXPECT_EQ((example{.target = presigned("/johnsmith//", signature), .bucket = ""}).judge(), "SignatureDoesNotMatch");
    EXPECT_EQ((example{.target = presigned("/johnsmith/k", signature), .bucket = ""}).judge(), "SignatureDoesNotMatch");
  }
}

TEST(sigv2, covers_headers_and_sub_resources) {
  const auto put = presigned("/static.johnsmith.net/db-backup.dat.gz", "pD7szonnquX2wFfX%2FgJEagDZmPo%3D");
  const std::vector<header_view> headers{{"Content-MD5", "4gJE4saaMU4BqNR0kLY+lw=="},
                                         {"X-Amz-Meta-ChecksumAlgorithm", "crc32"},
                                         {"content-type", "application/x-download"},
                                         {"x-amz-acl", "public-read"},
                                         {"range", "is not signed"}};
  EXPECT_EQ((example{.method = "PUT", .target = put, .headers = headers, .bucket = ""}).judge(), "");
  for (std::size_t i = 0; i + 1 < headers.size(); ++i) {
    auto fewer = headers;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ((example{.method = "PUT", .target = put, .headers = fewer, .bucket = ""}).judge(),
              "SignatureDoesNotMatch");
  }
  const auto read =
      presigned("/k", "TbNdUSTUlpEduH9NT04HGhdpqn0%3D", "&versionId=null&response-content-type=text%2Fplain");
  EXPECT_EQ((example{.target = read}).judge(), "");
  EXPECT_EQ((example{.target = read + "&prefix=a"}).judge(), "");
  for (const auto* more : {"&acl", "&tagging", "&attributes", "&ownershipControls", "&uploadId=1", "&partNumber=1",
                           "&response-expires=1", "&versionId=other"})
    EXPECT_EQ((example{.target = read + more}).judge(), "SignatureDoesNotMatch") << more;
}

TEST(sigv2, refuses_what_is_malformed_or_mixed) {
  EXPECT_EQ((example{.target = puppy + "&X-Amz-Signature=00"}).judge(), "InvalidArgument");
  EXPECT_EQ((example{.target = puppy, .headers = {{"authorization", "AWS4-HMAC-SHA256 x"}}}).judge(),
            "InvalidArgument");
  EXPECT_EQ((example{.target = puppy + "&X-Amz-Security-Token=t"}).judge(), "InvalidToken");
  const std::string key = "/k?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=a";
  for (const auto* expires : {"", "&Expires=", "&Expires=soon", "&Expires=-1", "&Expires=9999999999999"})
    EXPECT_EQ((example{.target = key + expires}).judge(), "AccessDenied") << expires;
  EXPECT_EQ((example{.target = key + "&Expires=1175139620"}).judge(), "SignatureDoesNotMatch");
}

TEST(sigv2, of_a_policy_is_over_its_base64) {
  const auto claim = policy_signature_2("AKIAIOSFODNN7EXAMPLE", "4QWH4O9CWtowYUW+X4P2gZ/6fNc=");
  EXPECT_FALSE(check_claim(claim, "any region", until));
  EXPECT_FALSE(check_policy_signature_2(claim, "e30=", secret));
  EXPECT_EQ(check_policy_signature_2(claim, "e31=", secret)->code, "SignatureDoesNotMatch");
  EXPECT_EQ(check_policy_signature_2(claim, "e30=", "another")->code, "SignatureDoesNotMatch");
}

} // namespace cairn::net::sigv2_test
