// Signatures of services other than S3, which cover the body whether or not a header names its hash.
#include "net/s3/auth/sigv4.hpp"

#include "base/codec.hpp"

#include <gtest/gtest.h>

namespace cairn::net::service_signature_test {
constexpr wall_ms now = 1'700'000'000'000;
const std::string body = "Action=ListUsers&Version=2010-05-08";

std::string hash_of(std::string_view text) {
  return hex_of(sha256_of(std::as_bytes(std::span{text})));
}

// A request that a client signed, and what becomes of it when it arrives with `sent` as its body.
struct signed_form {
  explicit signed_form(client_credentials with = {"AKIA1", "secret", "us-east-1", "iam"}) : with_(std::move(with)) {
    headers.emplace_back("Host", "127.0.0.1:9000");
    std::vector<header_view> views;
    for (const auto& [name, value] : headers) views.push_back({name, value});
    for (auto& added : sign_request(with_, {"POST", "/", {}, views}, now, hash_of(body)))
      headers.push_back(std::move(added));
  }
  std::string judge(std::string_view sent, std::string_view service = "iam") const {
    std::vector<header_view> views;
    for (const auto& [name, value] : headers) views.push_back({name, value});
    const signed_request request{"POST", "/", {}, views};
    const auto read = read_service_signature(request, service, sent);
    if (const auto* refused = std::get_if<s3_error>(&read)) return std::string{refused->code};
    const auto& claim = std::get<signature_claim>(read);
    if (const auto refused = check_claim(claim, "us-east-1", now)) return std::string{refused->code};
    const auto key = derive_signing_key("secret", claim.date, claim.region, claim.service);
    const auto refused = check_signature(claim, request, key);
    return refused ? std::string{refused->code} : "ok";
  }
  void drop(std::string_view name) {
    std::erase_if(headers, [name](const auto& h) { return h.first == name; });
  }

  std::vector<std::pair<std::string, std::string>> headers;

private:
  client_credentials with_;
};

TEST(service_signature, covers_the_body) {
  signed_form form;
  EXPECT_EQ(form.judge(body), "ok");
  EXPECT_EQ(form.judge(body + "&UserName=eve"), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(form.judge(""), "XAmzContentSHA256Mismatch");
  form.headers.emplace_back("x-amz-security-token", "token");
  EXPECT_EQ(form.judge(body), "AccessDenied") << "a token that is not signed";
}

TEST(service_signature, of_one_service_is_none_of_another) {
  EXPECT_EQ(signed_form{}.judge(body, "s3"), "AuthorizationHeaderMalformed");
  const signed_form of_s3{{"AKIA1", "secret", "us-east-1", "s3"}};
  EXPECT_EQ(of_s3.judge(body), "AuthorizationHeaderMalformed");
  EXPECT_EQ((signed_form{{"AKIA1", "another", "us-east-1", "iam"}}.judge(body)), "SignatureDoesNotMatch");
  EXPECT_EQ((signed_form{{"AKIA1", "secret", "eu-west-1", "iam"}}.judge(body)), "AuthorizationHeaderMalformed");
}

TEST(service_signature, needs_its_headers) {
  signed_form unsigned_form;
  unsigned_form.drop("Authorization");
  EXPECT_NE(unsigned_form.judge(body), "ok");
  signed_form undated;
  undated.drop("x-amz-date");
  EXPECT_EQ(undated.judge(body), "AccessDenied");
  signed_form extended;
  extended.headers.emplace_back("x-amz-target", "other");
  EXPECT_EQ(extended.judge(body), "AccessDenied"); // a header that was not signed
}

} // namespace cairn::net::service_signature_test
