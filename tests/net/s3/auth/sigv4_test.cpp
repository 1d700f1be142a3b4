// The examples of AWS's own documentation ("Examples: Signature Calculations in AWS Signature Version 4",
// "Authenticating Requests: Using Query Parameters", "Transferring Payload in Multiple Chunks"), and what must be
// refused.
#include "net/s3/auth/sigv4.hpp"

#include "base/codec.hpp"

#include <gtest/gtest.h>

namespace cairn::net::sigv4_test {

constexpr std::string_view access_key = "AKIAIOSFODNN7EXAMPLE";
constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view no_body = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr wall_ms signed_at = 1369353600000; // 2013-05-24T00:00:00Z

// A request with what its views point to.
struct example {
  std::string method = "GET", target = "/";
  std::vector<std::pair<std::string, std::string>> headers{{"Host", "examplebucket.s3.amazonaws.com"},
                                                           {"x-amz-date", "20130524T000000Z"}};
  wall_ms now = signed_at;

  example& with(const std::string& name, const std::string& value) {
    for (auto& header : headers) {
      if (header.first != name) continue;
      header.second = value;
      return *this;
    }
    headers.emplace_back(name, value);
    return *this;
  }
  example& without(const std::string& name) {
    std::erase_if(headers, [&](const auto& h) { return h.first == name; });
    return *this;
  }
  example& authorized(const std::string& signed_headers, const std::string& signature) {
    return with("Authorization", "AWS4-HMAC-SHA256 Credential=" + std::string{access_key} +
                                     "/20130524/us-east-1/s3/aws4_request,SignedHeaders=" + signed_headers +
                                     ",Signature=" + signature);
  }

  // All steps; "" when the request is good, else the code of the refusal.
  std::string judge(signature_claim* out = nullptr) const {
    const auto parsed = parse_target(target).value();
    std::vector<header_view> views;
    for (const auto& [name, value] : headers) views.push_back({name, value});
    const signed_request request{method, std::string_view{target}.substr(0, target.find('?')), parsed.query, views};
    EXPECT_TRUE(carries_credentials(request));
    auto read = read_signature(request);
    if (const auto* refused = std::get_if<s3_error>(&read)) return std::string{refused->code};
    const auto& claim = std::get<signature_claim>(read);
    if (out) *out = claim;
    if (const auto refused = check_claim(claim, "us-east-1", now)) return std::string{refused->code};
    if (claim.access_key != access_key) return "InvalidAccessKeyId";
    const auto refused = check_signature(claim, request, derive_signing_key(secret, claim.date, claim.region));
    return refused ? std::string{refused->code} : "";
  }
};

example get_object() {
  example e;
  e.target = "/test.txt";
  return e.with("Range", "bytes=0-9")
      .with("x-amz-content-sha256", std::string{no_body})
      .authorized("host;range;x-amz-content-sha256;x-amz-date",
                  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

example presigned() {
  example e;
  e.target = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
             "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
             "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
  return e.without("x-amz-date");
}

example chunked(const std::string& mode, const std::string& headers, const std::string& seed) {
  example e;
  e.method = "PUT";
  e.target = "/examplebucket/chunkObject.txt";
  return e.with("Host", "s3.amazonaws.com")
      .with("x-amz-storage-class", "REDUCED_REDUNDANCY")
      .with("x-amz-content-sha256", mode)
      .with("Content-Encoding", "aws-chunked")
      .with("x-amz-decoded-content-length", "66560")
      .with("Content-Length", "66824")
      .authorized(headers, seed);
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), with);
}

sha256_digest sha256_text(const std::string& text) {
  return sha256_of(std::as_bytes(std::span{text}));
}

TEST(sigv4, accepts_the_published_header_examples) {
  EXPECT_EQ(get_object().judge(), "");
  example put;
  put.method = "PUT";
  put.target = "/test%24file.text";
  put.with("Date", "Fri, 24 May 2013 00:00:00 GMT")
      .with("x-amz-storage-class", "REDUCED_REDUNDANCY")
      .with("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
      .authorized("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                  "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(put.judge(), "");
  example lifecycle;
  lifecycle.target = "/?lifecycle";
  lifecycle.with("x-amz-content-sha256", std::string{no_body})
      .authorized("host;x-amz-content-sha256;x-amz-date",
                  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(lifecycle.judge(), "");
  example list = lifecycle;
  list.target = "/?prefix=J&max-keys=2"; // sorted when signed
  list.authorized("host;x-amz-content-sha256;x-amz-date",
                  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  EXPECT_EQ(list.judge(), "");
}

TEST(sigv4, accepts_the_published_presigned_example_until_it_expires) {
  auto e = presigned();
  EXPECT_EQ(e.judge(), "");
  e.now = signed_at + 86'400'000;
  EXPECT_EQ(e.judge(), "");
  e.now += 1;
  EXPECT_EQ(e.judge(), "AccessDenied");
  e.now = signed_at - clock_skew_max_ms - 1;
  EXPECT_EQ(e.judge(), "AccessDenied");
}

TEST(sigv4, accepts_the_published_chunks_in_their_order_only) {
  signature_claim claim;
  const auto e = chunked("STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                         "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
                         "x-amz-decoded-content-length;x-amz-storage-class",
                         "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  ASSERT_EQ(e.judge(&claim), "");
  EXPECT_EQ(claim.kind, payload_kind::signed_chunks);
  chunk_signatures chain{claim, derive_signing_key(secret, claim.date, claim.region)};
  const auto first = sha256_text(std::string(65536, 'a')), second = sha256_text(std::string(1024, 'a'));
  EXPECT_FALSE(chain.chunk("0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", second));
  EXPECT_TRUE(chain.chunk("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", first));
  EXPECT_FALSE(chain.chunk("0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5498", second));
  EXPECT_TRUE(chain.chunk("0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", second));
  EXPECT_TRUE(chain.chunk("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", sha256_text("")));
}

TEST(sigv4, accepts_the_published_trailer) {
  signature_claim claim;
  claim.date = "20130524";
  claim.region = "us-east-1";
  claim.timestamp = "20130524T000000Z";
  claim.signature = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
  chunk_signatures chain{claim, derive_signing_key(secret, claim.date, claim.region)};
  EXPECT_TRUE(chain.chunk("b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                          sha256_text(std::string(65536, 'a'))));
  EXPECT_TRUE(chain.chunk("1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                          sha256_text(std::string(1024, 'a'))));
  EXPECT_TRUE(chain.chunk("2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992", sha256_text("")));
  EXPECT_FALSE(chain.trailer("d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
                             "x-amz-checksum-crc32c:sOO8/A==\n"));
  EXPECT_TRUE(chain.trailer("d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
                            "x-amz-checksum-crc32c:sOO8/Q==\n"));
}

TEST(sigv4, accepts_what_a_client_signed) {
  const std::vector<query_parameter> query{{"prefix", "a b/c"}, {"list-type", "2"}};
  std::vector<header_view> headers{{"Host", "h:9000"}, {"x-amz-meta-a", "x  y"}, {"Range", "bytes=0-1"}};
  signed_request sent{"GET", "/b/k%20l", query, headers};
  const auto added = sign_request({"AK", std::string{secret}, "us-east-1"}, sent, signed_at);
  for (const auto& [name, value] : added) headers.push_back({name, value});
  sent.headers = headers;
  const auto read = read_signature(sent);
  ASSERT_TRUE(std::holds_alternative<signature_claim>(read));
  const auto& claim = std::get<signature_claim>(read);
  EXPECT_EQ(claim.access_key, "AK");
  EXPECT_EQ(claim.kind, payload_kind::unsigned_whole);
  EXPECT_FALSE(check_claim(claim, "us-east-1", signed_at));
  EXPECT_FALSE(check_signature(claim, sent, derive_signing_key(secret, claim.date, claim.region)));
  EXPECT_TRUE(check_signature(claim, sent, derive_signing_key("another", claim.date, claim.region)));
}

TEST(sigv4, refuses_whatever_was_changed_after_signing) {
  EXPECT_EQ(get_object().with("Range", "bytes=0-10").judge(), "SignatureDoesNotMatch");
  EXPECT_EQ(get_object().with("Host", "other.s3.amazonaws.com").judge(), "SignatureDoesNotMatch");
  EXPECT_EQ(get_object().with("x-amz-date", "20130524T000001Z").judge(), "SignatureDoesNotMatch");
  EXPECT_EQ(get_object().with("x-amz-date", "20130525T000000Z").judge(), "AuthorizationHeaderMalformed");
  EXPECT_EQ(get_object().with("x-amz-content-sha256", "UNSIGNED-PAYLOAD").judge(), "SignatureDoesNotMatch");
  EXPECT_EQ(get_object().without("Range").judge(), "SignatureDoesNotMatch");
  EXPECT_EQ(get_object().with("x-amz-meta-new", "x").judge(), "AccessDenied");
  auto e = get_object();
  e.method = "HEAD";
  EXPECT_EQ(e.judge(), "SignatureDoesNotMatch");
  e = get_object();
  e.target = "/test2.txt";
  EXPECT_EQ(e.judge(), "SignatureDoesNotMatch");
  e.target = "/test.txt?versionId=1";
  EXPECT_EQ(e.judge(), "SignatureDoesNotMatch");
  e = presigned();
  e.target = replaced(e.target, "Expires=86400", "Expires=86401");
  EXPECT_EQ(e.judge(), "SignatureDoesNotMatch");
  e = presigned();
  e.target += "&response-content-type=text/html";
  EXPECT_EQ(e.judge(), "SignatureDoesNotMatch");
  EXPECT_EQ(presigned().with("x-amz-acl", "public-read").judge(), "AccessDenied");
}

TEST(sigv4, does_not_mind_what_need_not_be_signed) {
  EXPECT_EQ(get_object().with("Content-Type", "text/html").with("User-Agent", "a browser").judge(), "");
  EXPECT_EQ(get_object().with("Range", "  bytes=0-9").judge(), "SignatureDoesNotMatch") << "values come trimmed";
  EXPECT_EQ(presigned().with("x-amz-content-sha256", "UNSIGNED-PAYLOAD").judge(), "");
  auto e = get_object();
  e.target = "/tes%74.txt"; // another spelling of the path that was signed
  EXPECT_EQ(e.judge(), "");
}

TEST(sigv4, wants_the_request_to_be_of_now) {
  auto e = get_object();
  for (const auto off : {clock_skew_max_ms, -clock_skew_max_ms}) {
    e.now = signed_at + off;
    EXPECT_EQ(e.judge(), "");
    e.now += off > 0 ? 1 : -1;
    EXPECT_EQ(e.judge(), "RequestTimeTooSkewed");
  }
  EXPECT_EQ(get_object().without("x-amz-date").judge(), "AccessDenied");
  EXPECT_EQ(get_object().with("x-amz-date", "20131324T000000Z").judge(), "AccessDenied");
  EXPECT_EQ(get_object().without("x-amz-date").with("Date", "Fri, 24 May 2013 00:00:00 GMT").judge(),
            "SignatureDoesNotMatch")
      << "a Date is as good, but this signature names x-amz-date";
  for (const auto* date : {"Fri, 24 May 2013 00:00:00 -0000", "Fri, 24 May 2013 02:00:00 +0200", "20130524T000000Z"})
    EXPECT_EQ(get_object().without("x-amz-date").with("Date", date).judge(), "SignatureDoesNotMatch") << date;
}

TEST(sigv4, says_what_is_wrong_with_an_authorization_header) {
  const auto of = [](const std::string& text) { return get_object().with("Authorization", text).judge(); };
  const std::string rest = ", SignedHeaders=host, Signature=00";
  EXPECT_EQ(of("Basic dXNlcjpwYXNz"), "InvalidArgument");
  EXPECT_EQ(of("AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo="), "InvalidRequest");
  EXPECT_EQ(of("AWS4-ECDSA-P256-SHA256 Credential=a"), "NotImplemented");
  EXPECT_EQ(of("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00"), "AuthorizationHeaderMalformed");
  EXPECT_EQ(of("AWS4-HMAC-SHA256 Credential=a/b" + rest), "AuthorizationHeaderMalformed");
  EXPECT_EQ(of("AWS4-HMAC-SHA256 Credential=k/20130524/us-east-1/ec2/aws4_request" + rest),
            "AuthorizationHeaderMalformed");
  EXPECT_EQ(of("AWS4-HMAC-SHA256 Credential=k/20130524/eu-west-1/s3/aws4_request" + rest),
            "AuthorizationHeaderMalformed");
  std::string many = "host";
  for (int i = 0; i < 256; ++i) many += ";x-amz-meta-" + std::to_string(i);
  for (const auto& names : {many, std::string{"host;range;range"}})
    EXPECT_EQ(of("AWS4-HMAC-SHA256 Credential=k/20130524/us-east-1/s3/aws4_request, SignedHeaders=" + names +
                 ", Signature=00"),
              "AuthorizationHeaderMalformed");
  EXPECT_EQ(of("AWS4-HMAC-SHA256 Credential=k/20130524/us-east-1/s3/aws4_request, SignedHeaders=range, Signature=00"),
            "AuthorizationHeaderMalformed");
  EXPECT_EQ(of("AWS4-HMAC-SHA256 Credential=k/20130524/us-east-1/s3/aws4_request" + rest), "InvalidAccessKeyId");
  EXPECT_EQ(get_object().without("x-amz-content-sha256").judge(), "InvalidRequest");
  EXPECT_EQ(get_object().with("x-amz-content-sha256", "STREAMING").judge(), "InvalidArgument");
  EXPECT_EQ(get_object().with("x-amz-security-token", "t").judge(), "AccessDenied") << "a token that is not signed";
  EXPECT_EQ(get_object().with("x-amz-security-token", "").judge(), "AccessDenied") << "none, but not signed";
}

TEST(sigv4, says_what_is_wrong_with_a_presigned_url) {
  const auto of = [](const std::string& what, const std::string& with) {
    auto e = presigned();
    e.target = replaced(e.target, what, with);
    return e.judge();
  };
  EXPECT_EQ(of("X-Amz-Expires=86400", "X-Amz-Expires=604801"), "AuthorizationQueryParametersError");
  EXPECT_EQ(of("X-Amz-Expires=86400", "X-Amz-Expires=-1"), "AuthorizationQueryParametersError");
  EXPECT_EQ(of("X-Amz-Expires=86400", "X-Amz-Expires=soon"), "AuthorizationQueryParametersError");
  EXPECT_EQ(of("&X-Amz-Date=20130524T000000Z", ""), "AuthorizationQueryParametersError");
  EXPECT_EQ(of("Date=20130524T000000Z", "Date=2013-05-24"), "AuthorizationQueryParametersError");
  EXPECT_EQ(of("us-east-1", "eu-west-1"), "AuthorizationQueryParametersError");
  EXPECT_EQ(of("AKIAIOSFODNN7EXAMPLE", "AKIDANOTHER"), "InvalidAccessKeyId");
  EXPECT_EQ(of("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), "AuthorizationQueryParametersError");
  EXPECT_EQ(of("X-Amz-Expires=86400", "X-Amz-Expires=86400&X-Amz-Security-Token=t"), "SignatureDoesNotMatch")
      << "a token that is not signed";
  EXPECT_EQ(presigned().with("x-amz-security-token", "t").judge(), "InvalidToken") << "not where the signature is";
  EXPECT_EQ(of("X-Amz-Expires=86400", "X-Amz-Expires=86400&X-Amz-Security-Token="), "SignatureDoesNotMatch")
      << "an empty token is none, but this signature does not name it";
  EXPECT_EQ(presigned().with("Authorization", "AWS4-HMAC-SHA256 x").judge(), "InvalidArgument");
}

TEST(signing_keys, are_those_of_the_documentation_and_kept_within_bounds) {
  signing_keys keys;
  const auto derived = derive_signing_key(secret, "20130524", "us-east-1");
  EXPECT_EQ(hex_of(derived), "dbb893acc010964918f1fd433add87c70e8b0db6be30c1fbeafefa5ec6ba8378");
  for (int i = 0; i < 3000; ++i) {
    EXPECT_EQ(keys.get(std::string{secret}, "20130524", "us-east-1"), derived);
    keys.get("another" + std::to_string(i), "20130525", "us-east-1");
  }
}

} // namespace cairn::net::sigv4_test
