// Trust policies of roles: what they may say, and whom they let in.
#include "storage/policy/policy.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::policy::trust_test {
std::string statement_of(std::string_view principal, std::string_view more = {}) {
  return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":)" +
         std::string{principal} + std::string{more} + "}}";
}
constexpr std::string_view ann = R"({"AWS":"arn:aws:iam:::user/team/ann"})";

std::string why_refused(const std::string& text) {
  const auto made = policy::compile(text, owner_kind::trust);
  return made ? "" : made.error().text;
}

effect asked(const std::string& text, const user_facts& who, bool through_account = false, context with = {}) {
  const auto rules = policy::compile(text, owner_kind::trust);
  EXPECT_TRUE(rules) << text;
  with.kind = sender::key;
  request r{.act = action::sts_assume_role, .key = "role/backup", .access_key = "AKIA1", .with = &with};
  r.object_missing = true;
  r.user = &who;
  r.through_account = through_account;
  return rules->evaluate(r).outcome;
}
const user_facts user{.name = "ann", .id = "AIDA1", .path = "/team/"};
const user_facts other{.name = "bob", .id = "AIDA2"};
const user_facts session{.name = "ci", .id = "AROA1", .path = "/x/", .role_session = "build-7", .token_issued = 1000};

TEST(trust, refuses_what_is_not_about_assuming_a_role) {
  EXPECT_EQ(why_refused(statement_of(ann)), "");
  EXPECT_NE(why_refused(statement_of(ann, R"(,"Resource":"*")")), "");
  EXPECT_NE(why_refused(R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}})"), "") << "nobody";
  EXPECT_NE(why_refused(R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject"}})"), "");
  EXPECT_NE(why_refused(R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRoleWithSAML"}})"), "");
  for (const auto* provider : {"accounts.example.org", "arn:aws:iam:::saml-provider/x", "arn:aws:iam:::oidc-provider/",
                               "arn:aws:iam:::oidc-provider/Idp.example.org", "arn:aws:iam:::oidc-provider/idp",
                               "arn:aws:iam:::oidc-provider/idp.example.org/*", "arn:aws:sts:::oidc-provider/a.b"})
    EXPECT_NE(why_refused(statement_of(R"({"Federated":")" + std::string{provider} + "\"}")), "") << provider;
  EXPECT_NE(why_refused(statement_of(R"({"Service":"ec2.amazonaws.com"})")), "");
  EXPECT_NE(why_refused(statement_of(ann, R"(,"Condition":{"StringEquals":{"sts:Other":"x"}})")), "");
}

TEST(trust, lets_in_the_users_roles_and_sessions_that_it_names) {
  EXPECT_EQ(asked(statement_of(ann), user), effect::allow);
  EXPECT_EQ(asked(statement_of(ann), other), effect::none);
  for (const auto* named : {R"({"AWS":"arn:aws:iam::000000000000:role/x/ci"})",
                            R"({"AWS":"arn:aws:sts::000000000000:assumed-role/ci/build-7"})"}) {
    EXPECT_EQ(asked(statement_of(named), session), effect::allow) << named;
    EXPECT_EQ(asked(statement_of(named), user), effect::none) << named;
  }
  EXPECT_EQ(asked(statement_of(R"({"AWS":"arn:aws:sts:::assumed-role/ci/build-8"})"), session), effect::none);
  EXPECT_EQ(asked(statement_of(R"({"AWS":"arn:aws:iam:::user/x/ci"})"), session), effect::none) << "no user";
}

TEST(trust, in_the_account_needs_the_policies_of_its_users_too) {
  const auto account = statement_of(R"({"AWS":"000000000000"})");
  EXPECT_EQ(asked(account, user), effect::none);
  EXPECT_EQ(asked(account, user, true), effect::allow);
}

TEST(trust, may_ask_for_an_external_id_and_a_name_of_the_session) {
  const auto text = statement_of(
      ann, R"(,"Condition":{"StringEquals":{"sts:ExternalId":"42"},"StringLike":{"sts:RoleSessionName":"ann-*"}})");
  context with;
  EXPECT_EQ(asked(text, user, false, with), effect::none);
  with.set(context_key::sts_external_id, "42");
  with.set(context_key::sts_role_session_name, "ann-1");
  EXPECT_EQ(asked(text, user, false, with), effect::allow);
  with.values.back().values = {"bob-1"};
  EXPECT_EQ(asked(text, user, false, with), effect::none);
}

TEST(trust, conditions_of_others_do_not_know_the_keys_of_sts) {
  const std::string text =
      R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"sts:ExternalId":"1"}}}})";
  EXPECT_FALSE(policy::compile(text, owner_kind::identity));
}

std::string web_statement(std::string_view principal, std::string_view more = {}, std::string_view effect = "Allow") {
  return R"({"Effect":")" + std::string{effect} + R"(","Action":"sts:AssumeRoleWithWebIdentity","Principal":)" +
         std::string{principal} + std::string{more} + "}";
}
constexpr std::string_view idp = R"({"Federated":"arn:aws:iam::000000000000:oidc-provider/idp.example.org/team"})";

effect asked_by(const std::string& statements, std::string_view provider, const context& with = {}) {
  const auto text = R"({"Version":"2012-10-17","Statement":[)" + statements + "]}";
  const auto rules = policy::compile(text, owner_kind::trust);
  EXPECT_TRUE(rules) << (rules ? "" : rules.error().text) << text;
  const request r{.act = action::sts_assume_role_with_web_identity,
                  .key = "role/backup",
                  .with = &with,
                  .object_missing = true,
                  .provider = provider};
  return rules->evaluate(r).outcome;
}

TEST(trust, lets_web_identities_in_whose_provider_it_names) {
  EXPECT_EQ(asked_by(web_statement(idp), "idp.example.org/team"), effect::allow);
  EXPECT_EQ(asked_by(web_statement(R"({"Federated":["arn:aws:iam:::oidc-provider/idp.example.org/team"]})"),
                     "idp.example.org/team"),
            effect::allow);
  for (const auto* provider : {"idp.example.org", "idp.example.org/team/", "idp.example.org/Team", "example.org/team"})
    EXPECT_EQ(asked_by(web_statement(idp), provider), effect::none) << provider;
  EXPECT_EQ(asked_by(web_statement(R"({"Federated":"arn:aws:iam::123456789012:oidc-provider/idp.example.org/team"})"),
                     "idp.example.org/team"),
            effect::none)
      << "of another account";
  EXPECT_EQ(asked(statement_of(idp), user), effect::none) << "a user";
}

TEST(trust, lets_no_web_identity_in_through_what_names_others) {
  for (const auto* named :
       {R"("*")", R"({"AWS":"*"})", R"({"AWS":"000000000000"})", R"({"AWS":"arn:aws:iam:::user/a"})"})
    EXPECT_EQ(asked_by(web_statement(named), "idp.example.org/team"), effect::none) << named;
  EXPECT_EQ(asked_by(web_statement(idp) + "," + web_statement(R"("*")", {}, "Deny"), "idp.example.org/team"),
            effect::deny);
  const auto but = [](std::string_view named) {
    return web_statement(idp) + R"(,{"Effect":"Deny","Action":"sts:*","NotPrincipal":)" + std::string{named} + "}";
  };
  EXPECT_EQ(asked_by(but(idp), "idp.example.org/team"), effect::allow);
  EXPECT_EQ(asked_by(but(R"({"AWS":"arn:aws:iam:::user/a"})"), "idp.example.org/team"), effect::deny);
}

TEST(trust, may_ask_for_claims_of_web_identities) {
  const auto text = web_statement(
      idp,
      R"(,"Condition":{"StringEquals":{"idp.example.org/team:aud":"cairn"},"StringLike":{"IDP.example.org/team:sub":"ann-*"}})");
  context with;
  with.values = {{context_key::web_identity_aud, "idp.example.org/team", {"x", "cairn"}}};
  EXPECT_EQ(asked_by(text, "idp.example.org/team", with), effect::none);
  with.values.push_back({context_key::web_identity_sub, "idp.example.org/other", {"ann-1"}});
  EXPECT_EQ(asked_by(text, "idp.example.org/team", with), effect::none) << "of another provider";
  with.values.push_back({context_key::web_identity_sub, "idp.example.org/team", {"ann-1"}});
  EXPECT_EQ(asked_by(text, "idp.example.org/team", with), effect::allow);
  EXPECT_FALSE(policy::compile(R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":)"
                               R"({"StringEquals":{"idp.example.org:sub":"x"}}}})",
                               owner_kind::identity));
  for (const auto* key : {"idp:sub", "sts:sub", "idp.example.org:nbf", ":sub", "idp.example.org/a b:sub"})
    EXPECT_FALSE(key_of(key)) << key;
  EXPECT_NE(
      why_refused(web_statement(idp, R"(,"Condition":{"StringEquals":{"aws:UserAgent":"${idp.example.org:sub}"}})")),
      "");
}

TEST(trust, may_ask_for_the_tags_of_the_session) {
  const auto text = [](std::string_view condition) {
    return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],)"
           R"("Principal":"*","Condition":{)" +
           std::string{condition} + "}}}";
  };
  context with;
  with.values = {{context_key::request_tag, "Team", {"blue"}},
                 {context_key::tag_keys, {}, {"Team", "stage"}},
                 {context_key::sts_transitive_tag_keys, {}, {"Team"}}};
  const auto team = text(R"("StringEquals":{"aws:RequestTag/team":"blue"})");
  EXPECT_EQ(asked(team, user, false, with), effect::allow) << "keys of session tags are the same in any case";
  EXPECT_EQ(asked(team, user), effect::none);
  const auto keys = [&](std::string_view all) {
    return asked(text(R"("ForAllValues:StringEquals":{"aws:TagKeys":[)" + std::string{all} + "]}"), user, false, with);
  };
  EXPECT_EQ(keys(R"("Team","stage","more")"), effect::allow);
  EXPECT_EQ(keys(R"("Team")"), effect::none);
  const auto transitive = text(R"("ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"Team"})");
  EXPECT_EQ(asked(transitive, user, false, with), effect::allow);
  EXPECT_EQ(asked(transitive, user), effect::none);
  for (const auto* key : {"aws:RequestTag/team", "aws:TagKeys", "sts:TransitiveTagKeys"})
    for (const auto* kind : {R"("StringEquals":{")", R"("StringEquals":{"aws:UserAgent":"${)"}) {
      const bool is_variable = std::string_view{kind}.ends_with("{");
      const auto line = std::string{kind} + key + (is_variable ? R"(}"})" : R"(":"x"})");
      EXPECT_NE(why_refused(text(line)).empty(), is_variable) << line;
      EXPECT_FALSE(
          policy::compile(R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*",)"
                          R"("Condition":{)" +
                              line + "}}}",
                          owner_kind::identity))
          << line;
    }
  EXPECT_FALSE(key_of("aws:RequestTag/"));
}

TEST(sts_sessions, have_condition_keys_of_their_own) {
  context with;
  with.kind = sender::key;
  const request r{.act = action::get_object, .access_key = "ASIA1", .with = &with, .user = &session};
  const auto of = [&r](context_key key) { return r.value({key}).value_or("-"); };
  EXPECT_EQ(of(context_key::principal_arn), "arn:aws:iam::000000000000:role/x/ci");
  EXPECT_EQ(of(context_key::userid), "AROA1:build-7");
  EXPECT_EQ(of(context_key::username), "-");
  EXPECT_EQ(of(context_key::principal_type), "AssumedRole");
  EXPECT_EQ(of(context_key::token_issue_time), "1970-01-01T00:00:01Z");
}

} // namespace cairn::storage::policy::trust_test
