#include "storage/policy/policy.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace cairn::storage::policy::policy_test {

// A request as the table of examples writes it.
struct asked {
  std::string_view action, key, who; // who: "root", "", or an access key
  std::vector<std::pair<std::string_view, std::string>> with{};
  std::vector<std::pair<std::string, std::string>> tags{};
};

std::string answer_to(const policy& rules, const asked& a) {
  context with;
  with.kind = a.who.empty() ? sender::anonymous : a.who == "root" ? sender::account : sender::key;
  with.time = 1'796'000'000'000;
  for (const auto& [name, value] : a.with) {
    const auto key = key_of(name);
    EXPECT_TRUE(key) << name;
    if (key->key == context_key::current_time)
      with.time = *read_date(value);
    else
      with.values.push_back({key->key, std::string{key->name}, {value}});
  }
  const auto found = rules.evaluate({.act = *action_of(a.action),
                                     .bucket = "files",
                                     .key = a.key,
                                     .access_key = a.who == "root" ? "" : a.who,
                                     .with = &with,
                                     .existing_tags = &a.tags});
  const auto number = std::to_string(found.statement + 1);
  return found.outcome == effect::allow ? "allow " + number : found.outcome == effect::deny ? "deny " + number : "none";
}

std::string statement_of(std::string_view rest) {
  return R"({"Version":"2012-10-17","Statement":[{)" + std::string{rest} + "}]}";
}

std::string why_refused(std::string_view text) {
  const auto made = policy::compile(text, owner_kind::bucket, "files");
  return made ? "" : made.error().text;
}

std::string why_refused_statement(std::string_view rest) {
  return why_refused(statement_of(rest));
}

constexpr std::string_view allow_read =
    R"("Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/*")";

std::string allow_read_with(std::string_view condition) {
  std::string out;
  return out.append(allow_read).append(R"(,"Condition":{)").append(condition).append("}");
}

// Examples of AWS's documentation ("Examples of Amazon S3 bucket policies", "Amazon S3 condition key examples", "IAM
// policy elements"), with the names of this test.
TEST(policy, answers_the_documented_examples_as_documented) {
  struct example {
    std::string_view policy;
    std::vector<std::pair<asked, std::string_view>> answers;
  };
  const example examples[] = {
      {R"("Sid":"PublicRead","Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:GetObjectVersion"],
          "Resource":["arn:aws:s3:::files/*"])",
       {{{"s3:GetObject", "a", ""}, "allow 1"},
        {{"s3:GetObjectVersion", "a/b", "CK1"}, "allow 1"},
        {{"s3:PutObject", "a", ""}, "none"},
        {{"s3:ListBucket", "", ""}, "none"}}},
      {R"("Sid":"PublicReadForTag","Principal":"*","Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersion"],
          "Resource":"arn:aws:s3:::files/*","Condition":{"StringEquals":{"s3:ExistingObjectTag/environment":"production"}})",
       {{{"s3:GetObject", "a", "", {}, {{"environment", "production"}}}, "allow 1"},
        {{"s3:GetObject", "a", "", {}, {{"environment", "test"}}}, "none"},
        {{"s3:GetObject", "a", "", {}, {{"Environment", "production"}}}, "none"},
        {{"s3:GetObject", "a", ""}, "none"}}},
      {R"("Sid":"IPAllow","Effect":"Deny","Principal":"*","Action":"s3:*",
          "Resource":["arn:aws:s3:::files","arn:aws:s3:::files/*"],
          "Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8:1234:5678::/64"]}})",
       {{{"s3:GetObject", "a", "root", {{"aws:SourceIp", "192.0.2.7"}}}, "none"},
        {{"s3:GetObject", "a", "root", {{"aws:SourceIp", "192.0.3.7"}}}, "deny 1"},
        {{"s3:ListBucket", "", "CK1", {{"aws:SourceIp", "2001:db8:1234:5678::1"}}}, "none"},
        {{"s3:ListBucket", "", "CK1", {{"aws:SourceIp", "2001:db8:1234:5679::1"}}}, "deny 1"}}},
      {R"("Sid":"OnlyHttps","Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"arn:aws:s3:::files/*",
          "Condition":{"Bool":{"aws:SecureTransport":"false"}})",
       {{{"s3:GetObject", "a", "", {{"aws:SecureTransport", "false"}}}, "deny 1"},
        {{"s3:GetObject", "a", "", {{"aws:SecureTransport", "true"}}}, "none"}}},
      {R"("Sid":"Referer","Effect":"Allow","Principal":"*","Action":["s3:GetObject"],"Resource":"arn:aws:s3:::files/*",
          "Condition":{"StringLike":{"aws:Referer":["http://www.example.com/*","http://example.com/*"]}})",
       {{{"s3:GetObject", "a", "", {{"aws:Referer", "http://example.com/x"}}}, "allow 1"},
        {{"s3:GetObject", "a", "", {{"aws:Referer", "http://example.com.evil.org/x"}}}, "none"},
        {{"s3:GetObject", "a", ""}, "none"}}},
      {R"("Sid":"OwnFolder","Effect":"Allow","Principal":{"AWS":"*"},"Action":["s3:GetObject","s3:PutObject"],
          "Resource":"arn:aws:s3:::files/home/${aws:username}/*")",
       {{{"s3:PutObject", "home/CK1/a", "CK1"}, "allow 1"},
        {{"s3:PutObject", "home/CK2/a", "CK1"}, "none"},
        {{"s3:PutObject", "home//a", ""}, "none"},
        {{"s3:PutObject", "home/ck1/a", "CK1"}, "none"}}},
      {R"("Sid":"ListOwnFolder","Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::files",
          "Condition":{"StringLike":{"s3:prefix":["","home/","home/${aws:username}/*"]},"StringEquals":{"s3:delimiter":"/"}})",
       {{{"s3:ListBucket", "", "CK1", {{"s3:prefix", "home/CK1/x"}, {"s3:delimiter", "/"}}}, "allow 1"},
        {{"s3:ListBucket", "", "CK1", {{"s3:prefix", ""}, {"s3:delimiter", "/"}}}, "allow 1"},
        {{"s3:ListBucket", "", "CK1", {{"s3:prefix", "home/CK2/"}, {"s3:delimiter", "/"}}}, "none"},
        {{"s3:ListBucket", "", "CK1", {{"s3:delimiter", "/"}}}, "none"}}},
      {R"("Effect":"Deny","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::files",
          "Condition":{"NumericGreaterThan":{"s3:max-keys":"10"}})",
       {{{"s3:ListBucket", "", "CK1", {{"s3:max-keys", "11"}}}, "deny 1"},
        {{"s3:ListBucket", "", "CK1", {{"s3:max-keys", "10"}}}, "none"},
        {{"s3:ListBucket", "", "CK1"}, "none"}}},
      {R"("Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::files/*",
          "Condition":{"StringNotEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}})",
       {{{"s3:PutObject", "a", "CK1"}, "deny 1"},
        {{"s3:PutObject", "a", "CK1", {{"s3:x-amz-acl", "bucket-owner-full-control"}}}, "none"}}},
      {R"("Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::files/secret/*",
          "Condition":{"Null":{"aws:MultiFactorAuthAge":true}})",
       {{{"s3:GetObject", "secret/a", "CK1"}, "deny 1"}, {{"s3:GetObject", "a", "CK1"}, "none"}}},
      {R"("Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::000000000000:user/CK1","arn:aws:iam::000000000000:root"]},
          "Action":"s3:*","Resource":["arn:aws:s3:::files","arn:aws:s3:::files/*"])",
       {{{"s3:GetObject", "a", "CK1"}, "none"},
        {{"s3:GetObject", "a", "root"}, "none"},
        {{"s3:GetObject", "a", "CK2"}, "deny 1"},
        {{"s3:GetObject", "a", ""}, "deny 1"}}},
      {R"("Effect":"Deny","Principal":"*","NotAction":["s3:Get*","s3:List*"],"NotResource":"arn:aws:s3:::files/inbox/*")",
       {{{"s3:PutObject", "a", "CK1"}, "deny 1"},
        {{"s3:PutObject", "inbox/a", "CK1"}, "none"},
        {{"s3:GetObject", "a", "CK1"}, "none"},
        {{"s3:PutBucketPolicy", "", "CK1"}, "deny 1"}}},
      {R"("Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::files/*",
          "Condition":{"DateGreaterThan":{"aws:CurrentTime":"2026-11-29T00:00:00Z"},
                       "DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}})",
       {{{"s3:PutObject", "a", "root", {{"aws:CurrentTime", "2026-11-30"}}}, "allow 1"},
        {{"s3:PutObject", "a", "root", {{"aws:CurrentTime", "2026-12-02"}}}, "none"},
        {{"s3:PutObject", "a", "CK1", {{"aws:CurrentTime", "2026-11-30"}}}, "none"}}},
      {R"("Effect":"Deny","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"s3:Delete*",
          "Resource":"arn:aws:s3:::files/kept/*")",
       {{{"s3:DeleteObject", "kept/a", "CK1"}, "deny 1"},
        {{"s3:DeleteObjectVersion", "kept/a", "root"}, "deny 1"},
        {{"s3:DeleteObject", "kept/a", ""}, "none"}}},
      {R"("Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::files/*",
          "Condition":{"ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["team","cost"]},
                       "StringEquals":{"s3:RequestObjectTag/team":"blue"}})",
       {{{"s3:PutObject", "a", "CK1", {{"s3:RequestObjectTagKeys", "team"}, {"s3:RequestObjectTag/team", "blue"}}},
         "allow 1"},
        {{"s3:PutObject", "a", "CK1", {{"s3:RequestObjectTagKeys", "other"}, {"s3:RequestObjectTag/team", "blue"}}},
         "none"},
        {{"s3:PutObject", "a", "CK1"}, "none"}}},
  };
  for (const auto& [text, answers] : examples) {
    const auto rules = policy::compile(statement_of(text), owner_kind::bucket, "files");
    ASSERT_TRUE(rules) << text << rules.error().text;
    for (const auto& [request, expected] : answers)
      EXPECT_EQ(answer_to(*rules, request), expected)
          << text << ' ' << request.action << ' ' << request.key << ' ' << request.who;
  }
}

TEST(policy, denies_whatever_another_statement_allows_and_names_the_first_that_decides) {
  const auto rules = policy::compile(
      R"({"Version":"2012-10-17","Statement":[
          {"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::files/*"},
          {"Sid":"b","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/*"},
          {"Sid":"Kept","Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::files/*"}]})",
      owner_kind::bucket);
  ASSERT_TRUE(rules);
  EXPECT_EQ(answer_to(*rules, {"s3:GetObject", "a", ""}), "allow 1");
  EXPECT_EQ(answer_to(*rules, {"s3:DeleteObject", "a", ""}), "deny 3");
  EXPECT_EQ(name_of(*rules, 2), "statement 3 (`Kept`)");
  EXPECT_EQ(name_of(*rules, 0), "statement 1");
}

TEST(policy, waits_for_the_tags_of_an_object_that_was_not_looked_up) {
  const auto rules = policy::compile(statement_of(allow_read_with(R"("StringEquals":{"s3:ExistingObjectTag/a":"b"})")),
                                     owner_kind::bucket);
  ASSERT_TRUE(rules);
  context with;
  request r{.act = action::get_object, .bucket = "files", .key = "k", .with = &with};
  EXPECT_EQ(rules->evaluate(r).outcome, effect::undecided);
  r.object_missing = true;
  EXPECT_EQ(rules->evaluate(r).outcome, effect::none);
  r.act = action::put_object;
  EXPECT_EQ(rules->evaluate(r).outcome, effect::none);
}

TEST(policy, takes_a_text_without_variables_as_it_is_in_the_older_version) {
  const auto text = [](std::string_view version) {
    return R"({)" + std::string{version} +
           R"("Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/${aws:username}"}})";
  };
  for (const auto* version : {"", R"("Version":"2008-10-17",)"}) {
    const auto rules = policy::compile(text(version), owner_kind::bucket, "files");
    ASSERT_TRUE(rules);
    EXPECT_EQ(answer_to(*rules, {"s3:GetObject", "${aws:username}", "CK1"}), "allow 1");
    EXPECT_EQ(answer_to(*rules, {"s3:GetObject", "CK1", "CK1"}), "none");
  }
}

// A name of a key that looks like a pattern stays a name.
TEST(policy, takes_what_a_variable_stands_for_literally) {
  const auto rules = policy::compile(
      statement_of(
          R"("Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/${s3:x-amz-acl}/a")"),
      owner_kind::bucket);
  ASSERT_TRUE(rules);
  EXPECT_EQ(answer_to(*rules, {"s3:GetObject", "*/a", "", {{"s3:x-amz-acl", "*"}}}), "allow 1");
  EXPECT_EQ(answer_to(*rules, {"s3:GetObject", "b/a", "", {{"s3:x-amz-acl", "*"}}}), "none");
  EXPECT_EQ(answer_to(*rules, {"s3:GetObject", "\xff/a", "", {{"s3:x-amz-acl", "\xff"}}}), "none");
}

TEST(policy, matches_texts_between_wildcards_at_their_first_occurrence_and_the_last_at_the_end) {
  struct row {
    std::string_view resource, key;
    bool fits;
  };
  for (const auto& [resource, key, fits] : std::initializer_list<row>{
           {"*", "a", true},
           {"a*", "a", true},
           {"a*a", "a", false},
           {"a*a", "aa", true},
           {"*ab*b", "aab", false},
           {"*ab*b", "aabb", true},
           {"a*b*c", "abcbc", true},
           {"a*b*c", "acb", false},
           {"*?b*", "b", false},
           {"*?b*", "\u00e9b", true},
           {"*\u00e9?", "\u00e8\u00e9\u00e8", true},
           {"*\u00e9?", "\u00e8\u00e8\u00e9", false},
           {"?", "\u00e9", true},
           {"??", "\u00e9", false},
           {"a?*?c", "a\u00e9c", false},
           {"a?*?c", "a\u00e9\u00e9c", true},
           {"*a?a*a?b", "aaaaaacb", true},
           {"*a?a*a?b", "aacaacb", true},
           {"*a?a*a?b", "acacb", false},
       }) {
    const auto rules = policy::compile(
        statement_of(R"("Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/)" +
                     std::string{resource} + R"(")"),
        owner_kind::bucket);
    ASSERT_TRUE(rules);
    EXPECT_EQ(answer_to(*rules, {"s3:GetObject", key, "CK1"}), fits ? "allow 1" : "none") << resource << " " << key;
  }
}

// A multi-delete asks for each of its thousand keys. Tried from each position anew, these patterns took 40 seconds.
TEST(policy, costs_little_whatever_its_patterns_and_the_keys_are) {
  for (const std::string_view begin : {"*", "*?"}) {
    std::string resources;
    for (int i = 10; i < 50; ++i) {
      if (!resources.empty()) resources += ',';
      resources += R"("arn:aws:s3:::files/)" + std::string{begin} + std::string(430, 'a') + std::to_string(i) + R"(*")";
    }
    const auto rules = policy::compile(
        statement_of(R"("Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":[)" + resources + "]"),
        owner_kind::bucket);
    ASSERT_TRUE(rules) << rules.error().text;
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i)
      EXPECT_EQ(answer_to(*rules, {"s3:DeleteObject", std::string(1000, 'a') + 'b' + std::to_string(i), "CK1"}),
                "none");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{5}) << begin;
  }
}

// 2,000 bytes of a pattern stand for megabytes.
TEST(policy, ends_a_comparison_when_its_variables_are_longer_than_the_key) {
  std::string many;
  for (int i = 0; i < 130; ++i) many += "*${aws:Referer}";
  const auto rules = policy::compile(
      statement_of(R"("Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/)" +
                   many + R"(")"),
      owner_kind::bucket);
  ASSERT_TRUE(rules) << rules.error().text;
  EXPECT_EQ(answer_to(*rules, {"s3:GetObject", std::string(130, 'r'), "CK1", {{"aws:Referer", "r"}}}), "allow 1");
  EXPECT_EQ(answer_to(*rules, {"s3:GetObject", std::string(129, 'r'), "CK1", {{"aws:Referer", "r"}}}), "none");
  EXPECT_EQ(answer_to(*rules, {"s3:GetObject", "r", "CK1", {{"aws:Referer", std::string(60'000, 'r')}}}), "none");
}

TEST(policy, is_refused_for_what_it_does_not_say_or_nobody_knows) {
  const std::pair<std::string_view, std::string_view> wrong[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{", "not a JSON object"},
      {"{\"a\":\"\xff\"}", "not a JSON object"},
      {R"({"Version":"2012-10-17"})", "no Statement"},
      {R"({"Version":"2012-10-17","Statement":[]})", "1 to 256 statements"},
      {R"({"Version":"2011-10-17","Statement":[]})", "Version is neither"},
      {R"({"version":"2012-10-17","Statement":[]})", "no element `version`"},
      {R"({"Statement":[{}],"Statement":[{}]})", "comes twice"},
      {R"({"Id":1,"Statement":[{}]})", "Id is not"},
      {R"({"Statement":[1]})", "is not an object"},
      {R"({"Statement":{"Effect":[[[[[[[1]]]]]]]}})", "levels"},
  };
  for (const auto& [text, why] : wrong)
    EXPECT_NE(why_refused(text).find(why), std::string::npos) << text << why_refused(text);
  EXPECT_EQ(why_refused_statement(allow_read), "");
  const std::pair<std::string_view, std::string_view> statements[] = {
      {R"("Effect":"Permit")", "Effect is neither"},
      {R"("effect":"Allow")", "no element `effect`"},
      {R"("Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/*")", "needs an Effect"},
      {R"("Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/*")", "needs a Principal"},
      {R"("Effect":"Allow","Principal":"*","Resource":"arn:aws:s3:::files/*")", "needs an Action"},
      {R"("Effect":"Allow","Principal":"*","Action":"s3:GetObject")", "needs a Resource"},
      {R"("Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"s3:*","Resource":"arn:aws:s3:::files")",
       "NotPrincipal"},
      {R"("Principal":"*","NotPrincipal":"*")", "exclude each other"},
      {R"("Action":"s3:*","NotAction":"s3:*")", "exclude each other"},
      {R"("Resource":"*","NotResource":"*")", "exclude each other"},
      {R"("Principal":"CK1")", R"(must be "*")"},
      {R"("Principal":{})", R"(must be "*")"},
      {R"("Principal":{"Service":"logging.s3.amazonaws.com"})", "`Service` do not exist"},
      {R"("Principal":{"Federated":"accounts.google.com"})", "`Federated` do not exist"},
      {R"("Principal":{"CanonicalUser":"somebody"})", "`somebody` is unknown"},
      {R"("Principal":{"AWS":"arn:aws:iam::000000000000:user/*"})", "is neither"},
      {R"("Principal":{"AWS":"arn:aws:iam::000000000000:group/a"})", "is neither"},
      {R"("Principal":{"AWS":"CK1"})", "is neither"},
      {R"("Principal":{"AWS":[]})", "at least one"},
      {R"("Principal":{"AWS":[1]})", "not a string"},
      {R"("Action":"s3:FlyToTheMoon")", "is none of S3's"},
      {R"("Action":"ec2:*")", "is none of S3's"},
      {R"("Action":["s3:GetObject",""])", "is none of S3's"},
      {R"("Resource":"arn:aws:s3:::other/*")", "not in the bucket"},
      {R"("Resource":"arn:aws:s3:::files2")", "not in the bucket"},
      {R"("Resource":"files/*")", "is not arn:aws:s3:::"},
      {R"("Resource":"arn:aws:s3:::files/${aws:usrname}")", "is unknown"},
      {R"("Resource":"arn:aws:s3:::files/${aws:username")", "closing brace"},
      {R"("Resource":"arn:aws:s3:::files/${aws:username, x}")", "single quotes"},
      {R"("Sid":1)", "Sid is not"},
      {R"("Condition":[])", "Condition is not"},
      {R"("Condition":{"StringSame":{"aws:username":"a"}})", "`StringSame` is unknown"},
      {R"("Condition":{"stringEquals":{"aws:username":"a"}})", "`stringEquals` is unknown"},
      {R"("Condition":{"NullIfExists":{"aws:username":"true"}})", "is unknown"},
      {R"("Condition":{"StringEquals":{}})", "needs an object"},
      {R"("Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}})", "`aws:SourceVpc` is unknown"},
      {R"("Condition":{"StringEquals":{"s3:ExistingObjectTag":"a"}})", "is unknown"},
      {R"("Condition":{"StringEquals":{"aws:username":[]}})", "has no value"},
      {R"("Condition":{"StringEquals":{"aws:username":{"a":1}}})", "neither a string"},
      {R"("Condition":{"StringEquals":{"aws:username":null}})", "neither a string"},
      {R"("Condition":{"NumericEquals":{"s3:max-keys":"ten"}})", "not a number"},
      {R"("Condition":{"NumericEquals":{"s3:max-keys":"0x10"}})", "not a number"},
      {R"("Condition":{"NumericEquals":{"s3:max-keys":"nan"}})", "not a number"},
      {R"("Condition":{"DateLessThan":{"aws:CurrentTime":"tomorrow"}})", "not a date"},
      {R"("Condition":{"DateLessThan":{"aws:CurrentTime":"2026-02-30"}})", "not a date"},
      {R"("Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}})", "not an IP address"},
      {R"("Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.256"}})", "not an IP address"},
      {R"("Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.1/"}})", "not an IP address"},
      {R"("Condition":{"Bool":{"aws:SecureTransport":"yes"}})", "neither true nor false"},
      {R"("Condition":{"BinaryEquals":{"aws:username":"a"}})", "not base64"},
      {R"("Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws"}})", "not an ARN"},
  };
  for (const auto& [rest, why] : statements)
    EXPECT_NE(why_refused_statement(rest).find(why), std::string::npos) << rest << ": " << why_refused_statement(rest);
  EXPECT_NE(why_refused(std::string(policy_bytes_max + 1, ' ')).find("at most 20480 bytes"), std::string::npos);
}

TEST(policy, of_an_identity_names_no_principal) {
  const auto rules =
      policy::compile(statement_of(R"("Effect":"Allow","Action":"s3:GetObject","Resource":"*")"), owner_kind::identity);
  ASSERT_TRUE(rules);
  EXPECT_EQ(answer_to(*rules, {"s3:GetObject", "a", "CK1"}), "allow 1");
  EXPECT_FALSE(policy::compile(statement_of(allow_read), owner_kind::identity));
}

TEST(policy, of_an_identity_is_also_about_users_groups_and_policies) {
  const auto rules =
      policy::compile(statement_of(R"("Effect":"Allow","Action":["iam:*AccessKey*","iam:GetUser"],)"
                                   R"("Resource":"arn:aws:iam:::user/${aws:PrincipalTag/team}/${aws:username}")"),
                      owner_kind::identity);
  ASSERT_TRUE(rules) << rules.error().text;
  const user_facts ann{"ann", "AIDA1", "/blue/", {{"team", "blue"}}};
  context with;
  with.kind = sender::key;
  const auto outcome = [&](action act, std::string_view resource, const user_facts* user) {
    return rules
        ->evaluate(
            {.act = act, .key = resource, .access_key = "AKIA1", .with = &with, .object_missing = true, .user = user})
        .outcome;
  };
  EXPECT_EQ(outcome(action::iam_create_access_key, "user/blue/ann", &ann), effect::allow);
  EXPECT_EQ(outcome(action::iam_create_access_key, "user/blue/bob", &ann), effect::none);
  EXPECT_EQ(outcome(action::iam_delete_user, "user/blue/ann", &ann), effect::none);
  EXPECT_EQ(outcome(action::iam_get_user, "user/blue/AKIA1", nullptr), effect::none); // no tags without a user
  // Policies of buckets are about S3 alone.
  EXPECT_NE(
      why_refused_statement(R"("Effect":"Allow","Principal":"*","Action":"iam:*","Resource":"*")").find("none of S3's"),
      std::string::npos);
  EXPECT_FALSE(
      policy::compile(statement_of(R"("Effect":"Allow","Action":"ec2:*","Resource":"*")"), owner_kind::identity));
  EXPECT_FALSE(policy::compile(statement_of(R"("Effect":"Allow","Action":"s3:*","Resource":"arn:aws:sqs:::q")"),
                               owner_kind::identity));
}

TEST(policy, is_public_when_anybody_is_let_in_without_a_limit) {
  const auto is_public = [](std::string_view rest) {
    const auto rules = policy::compile(statement_of(rest), owner_kind::bucket, "files");
    EXPECT_TRUE(rules) << rest;
    return rules && rules->is_public();
  };
  const auto with = [&](std::string_view condition) { return is_public(allow_read_with(condition)); };
  EXPECT_TRUE(is_public(allow_read));
  EXPECT_FALSE(is_public(R"("Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*")"));
  EXPECT_FALSE(
      is_public(R"("Effect":"Allow","Principal":{"AWS":"arn:aws:iam:::user/CK1"},"Action":"s3:*","Resource":"*")"));
  EXPECT_FALSE(with(R"("IpAddress":{"aws:SourceIp":"10.0.0.0/8"})"));
  EXPECT_FALSE(with(R"("IpAddress":{"aws:SourceIp":["10.0.0.1","2001:db8::/32"]})"));
  EXPECT_TRUE(with(R"("IpAddress":{"aws:SourceIp":["10.0.0.1","0.0.0.0/1"]})"));
  EXPECT_TRUE(with(R"("IpAddress":{"aws:SourceIp":"2000::/3"})"));
  EXPECT_TRUE(with(R"("NotIpAddress":{"aws:SourceIp":"10.0.0.1"})"));
  EXPECT_TRUE(with(R"("IpAddressIfExists":{"aws:SourceIp":"10.0.0.1"})"));
  EXPECT_FALSE(with(R"("StringEquals":{"aws:userid":"CK1"})"));
  EXPECT_TRUE(with(R"("StringLike":{"aws:userid":"*"})"));
  EXPECT_TRUE(with(R"("StringEquals":{"aws:Referer":"http://example.com/"})"));
  EXPECT_TRUE(with(R"("ForAllValues:StringEquals":{"aws:userid":"CK1"})"));
}

TEST(policy, dates_are_read_in_all_of_iso_8601s_forms_that_policies_use) {
  EXPECT_EQ(read_date("1970-01-01T00:00:01Z"), 1000);
  EXPECT_EQ(read_date("1970-01-01T01:00:01.25+01:00"), 1250);
  EXPECT_EQ(read_date("1970-01-02"), 86'400'000);
  EXPECT_EQ(read_date("1970"), 0);
  EXPECT_EQ(read_date("-1"), -1000);
  EXPECT_EQ(date_text(1'795'974'089'123), "2026-11-29T17:41:29Z");
  for (const auto* text :
       {"", "Z", "1970-13-01", "1970-01-01T25:00:00Z", "1970-01-01T00:00:00X", "1970-01T00:00Z", "9999999999999"})
    EXPECT_FALSE(read_date(text)) << text;
}

TEST(policy, tells_whether_it_has_conditions_about_object_lock) {
  const auto names = [](std::string_view condition) {
    return names_object_lock(statement_of(allow_read_with(condition)));
  };
  EXPECT_TRUE(names(R"("StringEquals":{"S3:Object-Lock-Mode":"GOVERNANCE"})"));
  EXPECT_TRUE(names(R"("Null":{"s3:\u006fbject-lock-legal-hold":"true"})"));
  EXPECT_TRUE(names(R"("NumericLessThan":{"s3:object-lock-remaining-retention-days":3})"));
  EXPECT_FALSE(names(R"("StringEquals":{"s3:prefix":"s3:object-lock-mode"})"));
  EXPECT_FALSE(names_object_lock("{}"));
  // As a variable it would not be found in all policies.
  EXPECT_NE(why_refused_statement(allow_read_with(R"("StringLike":{"s3:prefix":"${s3:object-lock-mode}"})")), "");
}

TEST(policy, contexts_go_through_the_log_as_they_are) {
  context with;
  with.kind = sender::key;
  with.time = 7;
  with.set(context_key::source_ip, "10.0.0.1");
  with.set(context_key::user_agent, std::string(5000, 'x'));
  with.set_request_tags({{"a", "b"}, {"c", ""}});
  EXPECT_EQ(with.values[1].values.front().size(), context_value_bytes_max);
  byte_writer w;
  write_context(w, with);
  byte_reader r{w.view()};
  EXPECT_EQ(read_context(r), with);
  EXPECT_TRUE(r.finished());
  for (std::size_t cut = 0; cut < w.view().size(); ++cut) {
    byte_reader part{w.view().substr(0, cut)};
    read_context(part);
    EXPECT_FALSE(part.finished());
  }
}

} // namespace cairn::storage::policy::policy_test
