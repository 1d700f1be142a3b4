// Key sets of issuers, and signatures by their keys: a vector of RFC 7515, and keys made by OpenSSL.
#include "net/web_identity/json_web_keys.hpp"

#include "tests/net/web_identity/signed_tokens.hpp"

namespace cairn::net::json_web_keys_test {
using signed_tokens::header_of;
using signed_tokens::set_of;
using signed_tokens::test_key;

// RFC 7515, A.3.
constexpr std::string_view rfc_claims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
constexpr std::string_view rfc_curve_key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view rfc_curve_signature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

json_web_keys keys_of(const std::string& json) {
  auto read = json_web_keys::read(json);
  EXPECT_TRUE(read) << json;
  return std::move(*read);
}

bool verifies(const json_web_keys& keys, const signature_header& header, const std::string& token) {
  const auto* const key = keys.find(header);
  return key != nullptr && has_signed(*key, header, token);
}

TEST(json_web_keys, verify_the_vector_of_rfc_7515) {
  const auto keys = keys_of(set_of({std::string{rfc_curve_key}}));
  ASSERT_EQ(keys.size(), 1u);
  const auto token = [](std::string_view header, std::string_view signature) {
    return base64url_encode(header) + "." + std::string{rfc_claims} + "." + std::string{signature};
  };
  EXPECT_TRUE(verifies(keys, {"ES256", ""}, token(R"({"alg":"ES256"})", rfc_curve_signature)));
  EXPECT_FALSE(verifies(keys, {"ES256", ""}, token(R"({"alg":"ES256" })", rfc_curve_signature)));
}

TEST(json_web_keys, verify_what_their_key_has_signed_with_every_algorithm) {
  const std::pair<test_key, std::vector<std::string>> all[] = {
      {test_key::rsa(2048), {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
      {test_key::curve("P-256", 32), {"ES256"}},
      {test_key::curve("P-384", 48), {"ES384"}},
      {test_key::curve("P-521", 66), {"ES512"}}};
  for (const auto& [key, algorithms] : all) {
    const auto keys = keys_of(set_of({key.json() + R"(,"kid":"a","use":"sig"})"}));
    for (const auto& algorithm : algorithms) {
      const signature_header header{algorithm, "a"};
      const auto token = key.sign(algorithm, header_of(algorithm, "a"), "{}");
      EXPECT_TRUE(verifies(keys, header, token)) << algorithm;
      for (const auto& other : algorithms)
        EXPECT_EQ(verifies(keys, {other, "a"}, key.sign(algorithm, header_of(other, "a"), "{}")), other == algorithm)
            << other << " signed as " << algorithm;
      auto changed = token;
      changed[changed.find('.') + 1] ^= 1;
      EXPECT_FALSE(verifies(keys, header, changed)) << algorithm;
      EXPECT_FALSE(verifies(keys, header, token.substr(0, token.size() - 4))) << "a short signature";
      EXPECT_FALSE(verifies(keys, header, token + "AAAA")) << "a long one";
      EXPECT_FALSE(verifies(keys, header, token.substr(0, token.rfind('.') + 1))) << "none";
    }
  }
}

TEST(json_web_keys, are_found_by_their_id_and_what_they_may_be_used_for) {
  const auto one = test_key::rsa(2048), two = test_key::rsa(2048);
  const auto curve = test_key::curve("P-256", 32);
  const auto keys = keys_of(set_of(
      {one.json() + R"(,"kid":"a","alg":"RS256"})", two.json() + R"(,"kid":"b"})", curve.json() + R"(,"kid":"a"})"}));
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_NE(keys.find({"RS256", "a"}), nullptr);
  EXPECT_EQ(keys.find({"RS384", "a"}), nullptr) << "its alg is another one";
  EXPECT_NE(keys.find({"ES256", "a"}), nullptr) << "the same id, another kind";
  EXPECT_EQ(keys.find({"ES384", "a"}), nullptr) << "another curve";
  EXPECT_EQ(keys.find({"RS256", "c"}), nullptr);
  EXPECT_EQ(keys.find({"RS256", ""}), nullptr) << "two fit";
  EXPECT_NE(keys.find({"PS256", ""}), nullptr) << "one fits";
  for (const auto* none : {"none", "HS256", "rs256", "RS256 ", "ES256K", "EdDSA", ""})
    EXPECT_EQ(keys.find({none, "a"}), nullptr) << none;
}

TEST(json_web_keys, skip_what_is_not_for_signatures_or_not_known) {
  const auto good = test_key::rsa(2048), small = test_key::rsa(1024);
  const auto curve = test_key::curve("P-256", 32);
  const std::string skipped[] = {
      good.json() + R"(,"use":"enc"})", good.json() + R"(,"key_ops":["sign"]})", good.json() + R"(,"alg":"HS256"})",
      good.json() + R"(,"alg":"ES256"})", good.json() + R"(,"alg":"RSA-OAEP"})", good.json() + R"(,"kid":7})",
      small.json() + "}", R"({"kty":"oct","k":"AAAA"})", R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})",
      R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", R"({"kty":"RSA"})", "7",
      // Not on the curve.
      R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})",
      R"({"kty":"EC","crv":"P-384","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})"};
  for (const auto& one : skipped) EXPECT_EQ(keys_of(set_of({one, curve.json() + "}"})).size(), 1u) << one;
  EXPECT_EQ(keys_of(set_of({good.json() + R"(,"key_ops":["verify"]})"})).size(), 1u);
  EXPECT_EQ(keys_of(R"({"keys":[]})").size(), 0u);
}

TEST(json_web_keys, refuse_what_is_no_set_of_keys) {
  for (const auto* bad : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[]}x)", R"({"keys":[],"keys":[]})"})
    EXPECT_FALSE(json_web_keys::read(bad)) << bad;
  std::string many = R"({"keys":[7)";
  for (std::size_t i = 0; i < json_web_keys::keys_max; ++i) many += ",7";
  EXPECT_FALSE(json_web_keys::read(many + "]}"));
  EXPECT_FALSE(json_web_keys::read(R"({"keys":[],"x":")" + std::string(json_web_keys::bytes_max, 'x') + "\"}"));
}

} // namespace cairn::net::json_web_keys_test
