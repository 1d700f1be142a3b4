// Tokens as anybody may send them, and whether their claims let them in. Signatures: json_web_keys_test.cpp.
#include "net/web_identity/json_web_token.hpp"

#include "config/rules.hpp"
#include "net/wire/grammar/base64.hpp"

#include <gtest/gtest.h>

namespace cairn::net::json_web_token_test {

constexpr wall_ms now = 1'800'000'000'000;
const config::oidc_issuer issuer{"https://idp.example.org/team", {"cairn", "other"}, {}, {}};

std::string token_of(std::string_view claims, std::string_view header = R"({"alg":"RS256","kid":"a"})") {
  return base64url_encode(header) + "." + base64url_encode(claims) + ".AAAA";
}
std::string claims_of(std::string_view aud = R"("cairn")", std::string_view more = {},
                      std::int64_t expires = now / 1000 + 300) {
  return R"({"iss":"https://idp.example.org/team","sub":"ann","aud":)" + std::string{aud} + R"(,"exp":)" +
         std::to_string(expires) + std::string{more} + "}";
}
std::string why(const std::string& text, wall_ms at = now) {
  const auto read = read_web_token(text);
  if (const auto* refused = std::get_if<s3_error>(&read)) return "unread: " + std::string{refused->code};
  const auto refused = refused_claims(std::get<web_token>(read), issuer, at);
  return refused ? std::string{refused->code} : "ok";
}
const std::string unread = "unread: InvalidIdentityToken";

TEST(json_web_token, is_read_with_its_claims) {
  const auto read = std::get<web_token>(read_web_token(token_of(
      claims_of(R"(["cairn","x"])",
                R"(,"azp":"cairn","amr":["pwd","mfa"],"nbf":1799999999,"iat":1799999999.5,"deep":{"a":[1]})"))));
  EXPECT_EQ(read.header.algorithm, "RS256");
  EXPECT_EQ(read.header.key_id, "a");
  EXPECT_EQ(read.subject, "ann");
  EXPECT_EQ(read.audiences, (std::vector<std::string>{"cairn", "x"}));
  EXPECT_EQ(read.methods, (std::vector<std::string>{"pwd", "mfa"}));
  EXPECT_EQ(read.authorized_party, "cairn");
  EXPECT_EQ(read.expires, now + 300'000);
  EXPECT_EQ(read.issued, 1'799'999'999'500);
  EXPECT_EQ(why(token_of(claims_of())), "ok");
  EXPECT_EQ(why(token_of(claims_of(), R"({"alg":"ES256"})")), "ok") << "no key id";
}

TEST(json_web_token, is_refused_if_its_algorithm_is_none_or_a_shared_secret) {
  for (const auto* header : {R"({"alg":"none"})", R"({"alg":"HS256"})", R"({"alg":"None"})", R"({"alg":""})", "{}",
                             R"({"alg":["RS256"]})", R"({"alg":"RS256","crit":["exp"]})", R"({"alg":"RS256","kid":7})",
                             R"({"alg":"none","alg":"RS256"})", R"(["RS256"])", ""})
    EXPECT_EQ(why(token_of(claims_of(), header)), unread) << header;
}

TEST(json_web_token, is_refused_if_it_is_not_exactly_one) {
  const auto good = token_of(claims_of());
  for (const auto& text : {std::string{}, std::string{"a.b"}, good + ".", good.substr(0, good.rfind('.')), " " + good,
                           token_of(claims_of() + "x"), token_of(claims_of() + " {}"), token_of("[]"), token_of("7"),
                           token_of(std::string{"\xff"})})
    EXPECT_EQ(why(text), unread) << text;
  EXPECT_EQ(why(token_of(claims_of(R"("cairn")", R"(,"x":")" + std::string(web_token_bytes_max, 'x') + "\""))), unread);
  EXPECT_EQ(why(token_of(claims_of(R"("cairn")", R"(,"x":)" + std::string(40, '[') + std::string(40, ']')))), unread);
  EXPECT_EQ(why(token_of(claims_of(R"("cairn")", R"(,"sub":"bob")"))), unread) << "a member comes twice";
  EXPECT_EQ(why(token_of(claims_of(R"("cairn")", R"(,"x":{"a":1,"a":2})"))), unread) << "also inside";
}

TEST(json_web_token, needs_its_claims_in_their_types) {
  for (const auto* claims :
       {R"({"sub":"a","aud":"cairn","exp":1900000000})", R"({"iss":"x","aud":"cairn","exp":1900000000})",
        R"({"iss":"x","sub":"a","exp":1900000000})", R"({"iss":"x","sub":"a","aud":"cairn"})",
        R"({"iss":"x","sub":"","aud":"cairn","exp":1900000000})", R"({"iss":"x","sub":"a","aud":[],"exp":1900000000})",
        R"({"iss":"x","sub":"a","aud":[7],"exp":1900000000})",
        R"({"iss":"x","sub":"a","aud":"cairn","exp":"1900000000"})", R"({"iss":"x","sub":"a","aud":"cairn","exp":-1})",
        R"({"iss":"x","sub":"a","aud":"cairn","exp":1e300})",
        R"({"iss":"x","sub":"a\n","aud":"cairn","exp":1900000000})",
        R"({"iss":"x","sub":7,"aud":"cairn","exp":1900000000})",
        R"({"iss":"x","sub":"a","aud":"cairn","exp":1900000000,"nbf":"x"})",
        R"({"iss":"x","sub":"a","aud":"cairn","exp":1900000000,"azp":7})"})
    EXPECT_EQ(why(token_of(claims)), unread) << claims;
  EXPECT_EQ(why(token_of(R"({"iss":"x","aud":"cairn","exp":1900000000,"sub":")" + std::string(256, 'a') + "\"}")),
            unread);
}

TEST(json_web_token, is_for_an_audience_of_ours_or_the_party_among_several) {
  EXPECT_EQ(why(token_of(claims_of(R"("else")"))), "InvalidIdentityToken");
  EXPECT_EQ(why(token_of(claims_of(R"(["other"])"))), "ok");
  EXPECT_EQ(why(token_of(claims_of(R"("Cairn")"))), "InvalidIdentityToken");
  EXPECT_EQ(why(token_of(claims_of(R"(["cairn","else"])"))), "InvalidIdentityToken") << "no azp";
  EXPECT_EQ(why(token_of(claims_of(R"(["cairn","else"])", R"(,"azp":"else")"))), "InvalidIdentityToken");
  EXPECT_EQ(why(token_of(claims_of(R"(["cairn","else"])", R"(,"azp":"cairn")"))), "ok");
  EXPECT_EQ(why(token_of(claims_of(R"(["cairn","else"])", R"(,"azp":"other")"))), "InvalidIdentityToken")
      << "not in aud";
  EXPECT_EQ(why(token_of(claims_of(R"("cairn")", R"(,"azp":"web")"))), "ok") << "one audience";
}

TEST(json_web_token, is_of_its_issuer_exactly_and_of_its_time) {
  auto claims = claims_of();
  for (const auto* other :
       {"https://idp.example.org/team/", "https://idp.example.org/Team", "http://idp.example.org/team"}) {
    auto changed = claims;
    changed.replace(changed.find("https://"), issuer.issuer.size(), other);
    EXPECT_EQ(why(token_of(changed)), "InvalidIdentityToken") << other;
  }
  const auto seconds = now / 1000;
  EXPECT_EQ(why(token_of(claims_of(R"("cairn")", {}, seconds - 59))), "ok") << "clocks differ by a minute";
  EXPECT_EQ(why(token_of(claims_of(R"("cairn")", {}, seconds - 60))), "ExpiredTokenException");
  EXPECT_EQ(why(token_of(claims_of(R"("cairn")", R"(,"nbf":)" + std::to_string(seconds + 60)))), "ok");
  EXPECT_EQ(why(token_of(claims_of(R"("cairn")", R"(,"nbf":)" + std::to_string(seconds + 61)))), "IDPRejectedClaim");
  EXPECT_EQ(why(token_of(claims_of(R"("cairn")", R"(,"iat":)" + std::to_string(seconds + 61)))), "IDPRejectedClaim");
}

TEST(json_web_token, has_tags_of_the_session_in_either_form) {
  const auto tags_of = [](std::string_view more) {
    const auto read = read_web_token(token_of(claims_of(R"("cairn")", more)));
    std::string text;
    if (const auto* refused = std::get_if<s3_error>(&read)) return std::string{refused->code};
    for (const auto& [key, value] : std::get<web_token>(read).tags) text += key + "=" + value + " ";
    for (const auto& key : std::get<web_token>(read).transitive_tag_keys) text += key + "! ";
    return text;
  };
  EXPECT_EQ(tags_of({}), "");
  EXPECT_EQ(tags_of(R"(,"https://aws.amazon.com/tags":{"principal_tags":{"team":["blue"],"stage":["a b"]},)"
                    R"("transitive_tag_keys":["team"]})"),
            "team=blue stage=a b team! ");
  EXPECT_EQ(tags_of(R"(,"https://aws.amazon.com/tags/principal_tags/team":"blue",)"
                    R"("https://aws.amazon.com/tags/transitive_tag_keys":"team")"),
            "team=blue team! ");
  for (const auto* bad :
       {R"("x")", R"({"principal_tags":[]})", R"({"principal_tags":{"a":["b","c"]}})", R"({"principal_tags":{"a":[]}})",
        R"({"principal_tags":{"a":7}})", R"({"transitive_tag_keys":{}})", R"({"transitive_tag_keys":[7]})"})
    EXPECT_EQ(tags_of(R"(,"https://aws.amazon.com/tags":)" + std::string{bad}), "InvalidIdentityToken") << bad;
}

TEST(json_web_token, brings_condition_keys_of_its_provider) {
  const auto token =
      std::get<web_token>(read_web_token(token_of(claims_of(R"(["cairn","x"])", R"(,"azp":"cairn","amr":"mfa")"))));
  EXPECT_EQ(config::provider_of(token.issuer), "idp.example.org/team");
  EXPECT_EQ(audience_of(token, issuer), "cairn");
  const auto with = with_claims({}, token);
  const storage::policy::request asked{.with = &with};
  const auto values = [&asked](std::string_view name) { return asked.values(*storage::policy::key_of(name)); };
  EXPECT_EQ(values("idp.example.org/team:sub"), std::vector<std::string>{"ann"});
  EXPECT_EQ(values("idp.example.org/team:aud"), (std::vector<std::string>{"cairn", "x"}));
  EXPECT_EQ(values("idp.example.org/team:azp"), std::vector<std::string>{"cairn"});
  EXPECT_EQ(values("IDP.example.org/team:AMR"), std::vector<std::string>{"mfa"});
  EXPECT_TRUE(values("idp.example.org:sub").empty()) << "another provider";
}

} // namespace cairn::net::json_web_token_test
