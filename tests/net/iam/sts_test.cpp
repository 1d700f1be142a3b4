// STS's requests and documents, without a node.
#include "net/iam/sts_actions.hpp"

#include <gtest/gtest.h>

namespace cairn::net::sts_test {
namespace metadata = storage::metadata;
using storage::policy::action;

std::variant<sts_request, s3_error> read_of(const std::string& form) {
  auto query = iam_query::read("Version=2011-06-15&" + form);
  return read_sts(std::get<iam_query>(query));
}
std::string refusal_of(const std::string& form) {
  const auto read = read_of(form);
  const auto* const refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : "ok";
}
const std::string assume =
    "Action=AssumeRole&RoleArn=arn:aws:iam::000000000000:role/team/backup&RoleSessionName=nightly";

TEST(sts, reads_what_a_role_is_assumed_with) {
  const auto read = std::get<sts_request>(read_of(assume + "&ExternalId=a:b&DurationSeconds=900"));
  EXPECT_EQ(read.act, action::sts_assume_role);
  EXPECT_EQ(read.role, "role/team/backup");
  EXPECT_EQ(read.role_name(), "backup");
  EXPECT_EQ(read.session, "nightly");
  EXPECT_EQ(read.external_id, "a:b");
  EXPECT_EQ(read.seconds, 900u);
  EXPECT_EQ(std::get<sts_request>(read_of(assume)).seconds, 3600u);
  EXPECT_EQ(std::get<sts_request>(read_of("Action=GetSessionToken")).seconds, 43200u);
}

TEST(sts, refuses_what_it_does_not_know_and_what_is_out_of_bounds) {
  EXPECT_EQ(refusal_of("Action=AssumeRoleWithSAML"), "InvalidAction");
  EXPECT_EQ(refusal_of(assume + "&PolicyArns.member.1.arn=a"), "ValidationError");
  EXPECT_EQ(refusal_of(assume + "&Tags.member.2.Key=a"), "ValidationError") << "a gap";
  EXPECT_EQ(refusal_of(assume + "&Tags.member.1.Key=a&Tags.member.1.Colour=b"), "ValidationError");
  EXPECT_EQ(refusal_of("Action=GetSessionToken&Tags.member.1.Key=a"), "ValidationError");
  EXPECT_EQ(refusal_of(assume + "&DurationSeconds=899"), "ValidationError");
  EXPECT_EQ(refusal_of(assume + "&DurationSeconds=43201"), "ValidationError");
  EXPECT_EQ(refusal_of(assume + "&DurationSeconds=1e3"), "ValidationError");
  EXPECT_EQ(refusal_of("Action=GetSessionToken&DurationSeconds=129601"), "ValidationError");
  EXPECT_EQ(refusal_of(assume + "&ExternalId=a b"), "ValidationError");
  EXPECT_EQ(refusal_of("Action=AssumeRole&RoleArn=x&RoleSessionName=a"), "ValidationError");
  EXPECT_EQ(refusal_of("Action=AssumeRole&RoleArn=x&RoleSessionName=a/b"), "ValidationError");
  EXPECT_EQ(refusal_of("Action=AssumeRole&RoleSessionName=ab"), "ValidationError");
  EXPECT_EQ(refusal_of(assume + "&Policy={}"), "MalformedPolicyDocument");
  EXPECT_EQ(refusal_of(assume + "&Policy=" + std::string(2049, 'x')), "PackedPolicyTooLarge");
  EXPECT_EQ(std::get<sts_request>(read_of("Action=AssumeRole&RoleArn=arn:aws:iam::1:role/a&RoleSessionName=ab")).role,
            "")
      << "of another account";
}

std::string tags_of(const asked_tags& asked, const metadata::session_tags& inherited = {},
                    std::size_t policy_bytes = 0) {
  const auto made = tags_of_session(asked, inherited, std::string(policy_bytes, 'p'));
  if (const auto* const refused = std::get_if<s3_error>(&made)) return std::string{refused->code};
  std::string text;
  for (const auto& tag : std::get<metadata::session_tags>(made))
    text += tag.key + "=" + tag.value + (tag.transitive ? "! " : " ");
  return text;
}

TEST(sts, gives_a_session_the_tags_of_the_request) {
  const auto read = std::get<sts_request>(
      read_of(assume + "&Tags.member.1.Key=team&Tags.member.1.Value=blue&Tags.member.2.Key=stage&Tags.member.2.Value="
                       "&TransitiveTagKeys.member.1=TEAM"));
  EXPECT_EQ(tags_of(read.tags), "team=blue! stage= ");
  EXPECT_EQ(tags_of({}), "");
  EXPECT_EQ(tags_of({{{"a", "1"}, {"A", "2"}}, {}}), "InvalidParameterValue");
  EXPECT_EQ(tags_of({{{"a", "1"}}, {"b"}}), "InvalidParameterValue") << "transitive, and not among the tags";
  EXPECT_EQ(tags_of({{}, {"b"}}), "InvalidParameterValue");
  EXPECT_EQ(tags_of({{{"Aws:a", "1"}}, {}}), "ValidationError");
  EXPECT_EQ(tags_of({{{"a", std::string(257, 'x')}}, {}}), "ValidationError");
  asked_tags many;
  for (int i = 0; i < 50; ++i) many.all.emplace_back("k" + std::to_string(i), "v");
  EXPECT_NE(tags_of(many), "ValidationError");
  EXPECT_EQ(tags_of(many, {{"inherited", "x", true}}), "ValidationError") << "51 together";
  EXPECT_NE(tags_of(many, {{"left", "x", false}}), "ValidationError");
  const asked_tags large{{{"k", std::string(256, 'v')}}, {}};
  EXPECT_NE(tags_of(large, {}, metadata::session_packed_bytes_max - 257), "PackedPolicyTooLarge");
  EXPECT_EQ(tags_of(large, {}, metadata::session_packed_bytes_max - 256), "PackedPolicyTooLarge");
}

TEST(sts, hands_transitive_tags_on_which_a_request_cannot_set) {
  const metadata::session_tags of_caller{{"team", "blue", true}, {"stage", "test", false}};
  EXPECT_EQ(tags_of({}, of_caller), "team=blue! ") << "and so on, from session to session";
  EXPECT_EQ(tags_of({{{"stage", "live"}}, {}}, of_caller), "team=blue! stage=live ");
  EXPECT_EQ(tags_of({{{"Team", "red"}}, {}}, of_caller), "InvalidParameterValue");
  EXPECT_EQ(tags_of({{{"team", "blue"}}, {}}, of_caller), "InvalidParameterValue") << "also with the same value";
  EXPECT_EQ(tags_of({{}, {"team"}}, of_caller), "InvalidParameterValue") << "it is none of the request";
  const auto with =
      with_sts_keys({}, std::get<sts_request>(read_of(assume)), {{"team", "blue", true}, {"stage", "test", false}});
  const storage::policy::request asked{.with = &with};
  const auto values = [&asked](std::string_view name) { return asked.values(*storage::policy::key_of(name)); };
  EXPECT_EQ(values("aws:RequestTag/TEAM"), std::vector<std::string>{"blue"});
  EXPECT_EQ(values("aws:TagKeys"), (std::vector<std::string>{"team", "stage"}));
  EXPECT_EQ(values("sts:TransitiveTagKeys"), std::vector<std::string>{"team"});
}

TEST(sts, reads_what_a_role_is_assumed_with_by_a_web_identity) {
  const std::string with_token = "Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::000000000000:role/"
                                 "ci&RoleSessionName=build&WebIdentityToken=";
  const auto read = std::get<sts_request>(read_of(with_token + "a.b.c&DurationSeconds=900"));
  EXPECT_EQ(read.act, action::sts_assume_role_with_web_identity);
  EXPECT_EQ(read.role, "role/ci");
  EXPECT_EQ(read.web_token, "a.b.c");
  EXPECT_EQ(read.seconds, 900u);
  EXPECT_EQ(refusal_of(with_token), "ValidationError");
  EXPECT_EQ(refusal_of(with_token + std::string(20'001, 'a')), "ValidationError");
  EXPECT_EQ(refusal_of(with_token + "a.b.c&ProviderId=www.example.org"), "ValidationError");
  EXPECT_EQ(refusal_of(with_token + "a.b.c&ExternalId=42"), "ValidationError");
  EXPECT_EQ(refusal_of(with_token + "a.b.c&Tags.member.1.Key=a"), "ValidationError") << "they are in the token";
  EXPECT_EQ(refusal_of(assume + "&WebIdentityToken=a.b.c"), "ValidationError");
}

TEST(sts, answers_whose_token_it_was) {
  temporary_credentials made{"ASIA1", "token", {"secret", {true, "ci", "AROA1", "build", 0, 900'000, {}}}};
  made.subject = "repo:<a>";
  made.audience = "cairn";
  made.provider = "arn:aws:iam::000000000000:oidc-provider/idp.example.org";
  const auto text = credentials_answer(made);
  for (const auto* part :
       {"<SubjectFromWebIdentityToken>repo:&lt;a&gt;<", "<Audience>cairn<",
        "<Provider>arn:aws:iam::000000000000:oidc-provider/idp.example.org<", "<AssumedRoleId>AROA1:build<"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
}

TEST(sts, limits_the_time_of_a_session) {
  auto request = std::get<sts_request>(read_of(assume + "&DurationSeconds=7200"));
  metadata::role_row role;
  metadata::access_key_row key{.id = "AKIA1", .secret = "s"};
  EXPECT_EQ(refused_time(request, key, &role)->code, "ValidationError") << "3600 seconds at most";
  role.session_seconds_max = 7200;
  EXPECT_FALSE(refused_time(request, key, &role));
  auto chained = std::make_shared<metadata::identity>();
  chained->user.role_session = "other";
  chained->session = std::make_shared<const metadata::sts_session>();
  key.of_user = chained;
  EXPECT_EQ(refused_time(request, key, &role)->code, "ValidationError");
  request.seconds = 3600;
  EXPECT_FALSE(refused_time(request, key, &role));
}

TEST(sts, answers_the_credentials_and_who_calls) {
  temporary_credentials made{"ASIA1", "token", {"secret", {true, "backup", "AROA1", "nightly", 0, 900'000, {}}}};
  const auto text = credentials_answer(made);
  for (const auto* part :
       {"<AccessKeyId>ASIA1<", "<SecretAccessKey>secret<", "<SessionToken>token<", "<Expiration>1970-01-01T00:15:00Z<",
        "<AssumedRoleId>AROA1:nightly<", "<Arn>arn:aws:sts::000000000000:assumed-role/backup/nightly<"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  EXPECT_NE(caller_answer(nullptr).find("<Arn>arn:aws:iam::000000000000:root<"), std::string::npos);
  const metadata::access_key_row key{.id = "CK1", .secret = "s"};
  EXPECT_NE(caller_answer(&key).find("<UserId>CK1<"), std::string::npos);
}

} // namespace cairn::net::sts_test
