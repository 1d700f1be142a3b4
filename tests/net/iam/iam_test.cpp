// IAM's requests and documents, without a node.
#include "net/iam/iam_answers.hpp"
#include "net/iam/iam_documents.hpp"
#include "net/s3/xml/xml_reader.hpp"

#include <gtest/gtest.h>

namespace cairn::net::iam_test {
namespace metadata = storage::metadata;
using storage::policy::action;

iam_query query_of(const std::string& form) {
  auto read = iam_query::read("Version=2010-05-08&" + form);
  return std::get<iam_query>(std::move(read));
}
std::string refusal_of(const std::string& form, const std::string& caller = {}) {
  auto query = query_of(form);
  const storage::policy::user_facts user{.name = caller, .id = "AIDA1"};
  const auto read = read_action(query, caller.empty() ? nullptr : &user);
  const auto* const refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : "ok";
}
std::variant<metadata::change_identity, s3_error> change_of(const std::string& form) {
  auto query = query_of(form);
  const auto read = read_action(query, nullptr);
  if (const auto* refused = std::get_if<s3_error>(&read)) return *refused;
  return read_change(*std::get<const iam_action*>(read), query);
}
metadata::change_identity changed(const std::string& form) {
  return std::get<metadata::change_identity>(change_of(form));
}
xml_element document_of(const std::string& action, const std::string& result) {
  const auto read = read_xml(iam_document(action, result, "id"), {});
  EXPECT_TRUE(read) << result;
  return read.value_or(xml_element{});
}

const std::string policy =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]})";
const std::string encoded_policy =
    "%7B%22Version%22%3A%222012-10-17%22%2C+%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow"
    "%22%2C%22Action%22%3A%22s3%3A*%22%2C%22Resource%22%3A%22*%22%7D%5D%7D";

metadata::identity_page page_of_ann() {
  metadata::identity_page page;
  page.users.push_back({.who = {"ann", "AIDA1", "/team/", {{"k", "<v>"}}}, .created = 0});
  page.users.front().policies.own = {{"own", policy}};
  page.users.front().groups = {"a", "b", "c"};
  for (const auto* name : {"a", "b", "c"}) page.groups.push_back({.name = name, .id = "AGPA1", .policies = {}});
  metadata::policy_row attached{.name = "p", .id = "ANPA1", .path = "/x/"};
  attached.default_version = attached.last_version = 1;
  attached.versions = {{1, 0, policy}};
  page.policies.push_back(attached);
  page.keys.push_back({.id = "AKIA1", .secret = "hidden", .user = "ann", .active = false});
  return page;
}
std::string answer_of(const std::string& form, const metadata::identity_page* subject) {
  auto query = query_of(form);
  const storage::policy::user_facts ann{.name = "ann", .id = "AIDA1"};
  const auto read = read_action(query, &ann);
  const auto* const* found = std::get_if<const iam_action*>(&read);
  if (found == nullptr) return std::string{std::get<s3_error>(read).code};
  const auto made = read_answer(**found, query, subject, {});
  if (const auto* refused = std::get_if<s3_error>(&made)) return std::string{refused->code};
  return std::get<std::string>(made);
}

TEST(iam, reads_lists_and_refuses_what_comes_twice) {
  const auto query = query_of("Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=b&TagKeys.member.1=x+y");
  EXPECT_EQ(query.pairs("Tags", "Key", "Value"), (storage::policy::tag_pairs{{"a", "1"}, {"b", ""}}));
  EXPECT_EQ(query.list("TagKeys"), std::vector<std::string>{"x y"});
  EXPECT_TRUE(std::holds_alternative<s3_error>(iam_query::read("A=1&A=2")));
  EXPECT_TRUE(std::holds_alternative<s3_error>(iam_query::read("A=%zz")));
  EXPECT_TRUE(std::holds_alternative<s3_error>(query_of("MaxItems=0").items_max()));
  EXPECT_EQ(std::get<std::uint32_t>(query_of("MaxItems=7").items_max()), 7u);
}

TEST(iam, refuses_actions_and_parameters_that_it_does_not_have) {
  EXPECT_EQ(refusal_of("UserName=ann"), "MissingAction");
  EXPECT_EQ(refusal_of("Action=CreateLoginProfile&UserName=r"), "InvalidAction");
  EXPECT_EQ(refusal_of("Action=CreateRole&RoleName=r"), "ValidationError") << "without a trust policy";
  EXPECT_EQ(refusal_of("Action=CreateUser"), "ValidationError");
  EXPECT_EQ(refusal_of("Action=CreateUser&UserName=ann"), "ok");
  EXPECT_EQ(refusal_of("Action=CreateUser&UserName=ann&PermissionsBoundary=arn"), "ValidationError");
  EXPECT_EQ(refusal_of("Action=CreateUser&UserName=ann&Tags.member.1.Key=k"), "ok");
  EXPECT_EQ(refusal_of("Action=CreatePolicy&PolicyName=p&PolicyDocument=x&Tags.member.1.Key=k"), "ValidationError");
  // What would be read without an entry, or not at all.
  for (const auto* odd : {"Tags.member.2.Key=k", "Tags.member.0.Key=k", "Tags.member.1.Value=v", "Tags.member.1=k",
                          "Tags.member.1.Key=a&Tags.member.3.Key=b", "Tags.member.1.Key=a&Tags.member.1.Colour=b",
                          "Tags.member.x.Key=k", "Tags.member.1.Key=a&Tags.member.1.=b", "Tags=k", "Path.member.1=/a/"})
    EXPECT_EQ(refusal_of("Action=CreateUser&UserName=ann&" + std::string{odd}), "ValidationError") << odd;
  EXPECT_EQ(refusal_of("Action=CreateUser&UserName=ann&Tags="), "ok");
  EXPECT_EQ(refusal_of("Action=UntagUser&UserName=ann&TagKeys.member.2=b&TagKeys.member.1=a"), "ok");
  const std::string entry = "Action=SimulateCustomPolicy&ContextEntries.member.1.ContextKeyName=aws:Referer&"
                            "ContextEntries.member.1.ContextKeyType=string&ContextEntries.member.1.ContextKeyValues";
  EXPECT_EQ(refusal_of(entry + ".member.1=a&ActionNames.member.1=s3:GetObject"), "ok");
  EXPECT_EQ(refusal_of(entry + ".member.2=a"), "ValidationError");
  EXPECT_EQ(refusal_of(entry + "=a"), "ValidationError");
  EXPECT_EQ(refusal_of("Action=AttachUserPolicy&UserName=ann"), "ValidationError");
  EXPECT_EQ(refusal_of("Action=CreateAccessKey"), "ValidationError"); // the root key names the user
  EXPECT_EQ(refusal_of("Action=CreateAccessKey", "ann"), "ok");
  EXPECT_EQ(refusal_of("Action=GetUser"), "ok");
}

TEST(iam, makes_commands_of_actions) {
  const auto user = changed("Action=CreateUser&UserName=ann&Path=/team/&Tags.member.1.Key=k&Tags.member.1.Value=v");
  EXPECT_EQ(user.what, action::iam_create_user);
  EXPECT_EQ(user.name + user.path, "ann/team/");
  EXPECT_EQ(user.tags, (storage::policy::tag_pairs{{"k", "v"}}));
  EXPECT_EQ(changed("Action=UpdateUser&UserName=ann&NewUserName=bob").other, "bob");
  EXPECT_FALSE(changed("Action=UpdateUser&UserName=ann&NewUserName=bob").on); // keeps its path
  EXPECT_TRUE(changed("Action=UpdateUser&UserName=ann&NewPath=/x/").on);
  const auto attached = changed("Action=AttachUserPolicy&UserName=ann&PolicyArn=arn:aws:iam::000000000000:policy/x/p");
  EXPECT_EQ(attached.name + attached.other, "annp");
  EXPECT_EQ(changed("Action=CreatePolicy&PolicyName=p&PolicyDocument=" + encoded_policy).text, policy);
  EXPECT_EQ(changed("Action=DeletePolicyVersion&PolicyArn=arn:aws:iam:::policy/p&VersionId=v7").version, 7u);
  EXPECT_FALSE(changed("Action=UpdateAccessKey&UserName=ann&AccessKeyId=A&Status=Inactive").on);
  const auto code = [](const std::string& form) { return std::string{std::get<s3_error>(change_of(form)).code}; };
  EXPECT_EQ(code("Action=CreatePolicy&PolicyName=p&PolicyDocument={}"), "MalformedPolicyDocument");
  EXPECT_EQ(code("Action=AttachUserPolicy&UserName=ann&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess"),
            "NoSuchEntity");
  EXPECT_EQ(code("Action=DeletePolicyVersion&PolicyArn=arn:aws:iam:::policy/p&VersionId=7"), "ValidationError");
  EXPECT_EQ(code("Action=UpdateAccessKey&UserName=ann&AccessKeyId=A&Status=on"), "ValidationError");
}

TEST(iam, takes_a_key_of_another_server_with_its_secret_or_makes_one) {
  const std::string create = "Action=CreateAccessKey&UserName=ann";
  EXPECT_EQ(changed(create).other + changed(create).text, "");
  const auto known = changed(create + "&AccessKeyId=ann.key&SecretAccessKey=8letters");
  EXPECT_EQ(known.other + known.text, "ann.key8letters");
  for (const auto* wrong :
       {"&AccessKeyId=ann", "&SecretAccessKey=8letters", "&AccessKeyId=a/b&SecretAccessKey=8letters",
        "&AccessKeyId=ann&SecretAccessKey=7letter", "&AccessKeyId=ann&SecretAccessKey=with+space"})
    EXPECT_TRUE(std::holds_alternative<s3_error>(change_of(create + wrong))) << wrong;
}

TEST(iam, asks_policies_about_what_the_rows_say) {
  const auto resource = [](const std::string& form, const metadata::identity_page* found) {
    const auto query = query_of(form);
    return resource_of(*find_action(query.text("Action")), query, found);
  };
  const auto page = page_of_ann();
  EXPECT_EQ(resource("Action=GetUser&UserName=ANN", &page), "user/team/ann");
  EXPECT_EQ(resource("Action=GetUser&UserName=bob", nullptr), "user/bob");
  EXPECT_EQ(resource("Action=CreateUser&UserName=bob&Path=/team/", nullptr), "user/team/bob");
  EXPECT_EQ(resource("Action=ListUsers&PathPrefix=/team/", nullptr), "user/team/");
  EXPECT_EQ(resource("Action=GetPolicy&PolicyArn=arn:aws:iam:::policy/x/p", nullptr), "policy/x/p");
  metadata::identity_page of_policy;
  of_policy.policies = page.policies;
  auto query = query_of("Action=GetPolicy&PolicyArn=arn:aws:iam::000000000000:policy/x/p");
  EXPECT_TRUE(found_subject(*find_action("GetPolicy"), query, of_policy));
  query.set("PolicyArn", "arn:aws:iam::000000000000:policy/p"); // another path
  EXPECT_FALSE(found_subject(*find_action("GetPolicy"), query, of_policy));
}

TEST(iam, answers_about_a_user) {
  const auto page = page_of_ann();
  const auto user = document_of("GetUser", answer_of("Action=GetUser&UserName=ann", &page));
  const auto* const found = user.child("GetUserResult")->child("User");
  EXPECT_EQ(found->text_of("Arn"), "arn:aws:iam::000000000000:user/team/ann");
  EXPECT_EQ(found->text_of("CreateDate"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(found->child("Tags")->child("member")->text_of("Value"), "<v>");
  const auto keys = answer_of("Action=ListAccessKeys", &page);
  EXPECT_NE(keys.find("<Status>Inactive</Status>"), keys.npos);
  EXPECT_EQ(keys.find("hidden"), keys.npos);
  EXPECT_NE(answer_of("Action=ListAttachedUserPolicies&UserName=ann", &page).find(":policy/x/p<"), std::string::npos);
  const auto own = answer_of("Action=GetUserPolicy&UserName=ann&PolicyName=own", &page);
  EXPECT_NE(own.find("<PolicyDocument>%7B%22Version%22"), own.npos);
  EXPECT_EQ(answer_of("Action=GetUserPolicy&UserName=ann&PolicyName=none", &page), "NoSuchEntity");
  EXPECT_EQ(answer_of("Action=GetUser&UserName=bob", nullptr), "NoSuchEntity");
}

TEST(iam, answers_in_pages) {
  const auto page = page_of_ann();
  const auto names = [&page](const std::string& more) {
    const auto root =
        document_of("ListGroupsForUser", answer_of("Action=ListGroupsForUser&UserName=ann" + more, &page));
    const auto* const found = root.child("ListGroupsForUserResult");
    std::string text;
    for (const auto& one : found->child("Groups")->children) text += one.text_of("GroupName");
    return text + std::string{found->text_of("IsTruncated")} + std::string{found->text_of("Marker")};
  };
  EXPECT_EQ(names(""), "abcfalse");
  EXPECT_EQ(names("&MaxItems=2"), "abtrueb");
  EXPECT_EQ(names("&MaxItems=2&Marker=b"), "cfalse");
}

TEST(iam, simulates_what_the_evaluator_says) {
  const auto simulated = [](const std::string& form) {
    const auto made = simulation_answer(query_of(form), nullptr, 0);
    return std::holds_alternative<s3_error>(made) ? std::string{std::get<s3_error>(made).code}
                                                  : std::get<std::string>(made);
  };
  const std::string asked = "PolicyInputList.member.1=" + encoded_policy +
                            "&ActionNames.member.1=s3:GetObject&ActionNames.member.2=iam:GetUser";
  const auto answer = simulated(asked);
  EXPECT_NE(answer.find("<EvalDecision>allowed</EvalDecision>"), answer.npos);
  EXPECT_NE(answer.find("<EvalDecision>implicitDeny</EvalDecision>"), answer.npos);
  EXPECT_EQ(simulated("PolicyInputList.member.1={}&ActionNames.member.1=s3:GetObject"), "InvalidInput");
  EXPECT_EQ(simulated("ActionNames.member.1=s3:Nothing"), "InvalidInput");
  EXPECT_EQ(simulated("PolicyInputList.member.1=" + encoded_policy), "ValidationError");
}

// A small request could ask for an answer of hundreds of megabytes, and for minutes of work.
TEST(iam, bounds_what_is_simulated) {
  const auto simulated = [](const std::string& form) {
    const auto made = simulation_answer(query_of(form), nullptr, 0);
    return std::holds_alternative<s3_error>(made) ? std::string{std::get<s3_error>(made).code} : std::string{"done"};
  };
  const auto actions = [](int count) {
    std::string form;
    for (int n = 1; n <= count; ++n) form += "&ActionNames.member." + std::to_string(n) + "=s3:GetObject";
    return form;
  };
  const auto resource = [](std::size_t bytes) { return "&ResourceArns.member.1=" + std::string(bytes, 'r'); };
  EXPECT_EQ(simulated(actions(350) + resource(2048)), "done");
  EXPECT_EQ(simulated(actions(1) + resource(2049)), "ValidationError");

  std::string statements;
  for (int n = 0; n < 250; ++n)
    statements += (n == 0 ? "" : ",") + std::string{R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"*"})"};
  std::string large = R"({"Version":"2012-10-17","Statement":[)" + statements + "]}"; // of 14 KB
  const auto policies = "PolicyInputList.member.1=" + large;
  EXPECT_EQ(simulated(policies + actions(100)), "done");
  EXPECT_EQ(simulated(policies + actions(350)), "ValidationError");

  const auto context = [](std::size_t bytes) {
    return "&ContextEntries.member.1.ContextKeyName=aws:Referer&ContextEntries.member.1.ContextKeyValues.member.1=" +
           std::string(bytes, 'v');
  };
  EXPECT_EQ(simulated(actions(1) + context(8 << 10)), "done");
  EXPECT_EQ(simulated(actions(1) + context((8 << 10) + 1)), "ValidationError");
}

const std::string provider_arn =
    "OpenIDConnectProviderArn=arn:aws:iam::000000000000:oidc-provider/idp.example.org/team";
const std::string thumbprint = "&ThumbprintList.member.1=0123456789ABCDEF0123456789abcdef01234567";

TEST(iam, makes_commands_about_identity_providers) {
  const auto made = changed("Action=CreateOpenIDConnectProvider&Url=https://idp.example.org/team"
                            "&ClientIDList.member.1=cairn&ClientIDList.member.2=x&Tags.member.1.Key=k" +
                            thumbprint);
  EXPECT_EQ(made.what, action::iam_create_open_id_connect_provider);
  EXPECT_EQ(made.name, "idp.example.org/team");
  EXPECT_EQ(made.client_ids, (std::vector<std::string>{"cairn", "x"}));
  EXPECT_EQ(made.thumbprints, std::vector<std::string>{"0123456789abcdef0123456789abcdef01234567"});
  EXPECT_EQ(made.tags, (storage::policy::tag_pairs{{"k", ""}}));
  const auto added = changed("Action=AddClientIDToOpenIDConnectProvider&ClientID=more&" + provider_arn);
  EXPECT_EQ(added.name + added.client_ids.at(0), "idp.example.org/teammore");
  EXPECT_EQ(changed("Action=UntagOpenIDConnectProvider&TagKeys.member.1=k&" + provider_arn).tags.at(0).first, "k");
  const auto code = [](const std::string& form) {
    const auto read = change_of(form);
    const auto* const refused = std::get_if<s3_error>(&read);
    return refused != nullptr ? std::string{refused->code} : "ok";
  };
  for (const auto* url : {"http://idp.example.org", "http://127.0.0.1", "idp.example.org", "https://", "https://idp",
                          "https://IDP.example.org", "https://a@idp.example.org", "https://idp.example.org/%3Fa",
                          "https://idp.example.org/a b", "ftp://idp.example.org"})
    EXPECT_EQ(code("Action=CreateOpenIDConnectProvider&Url=" + std::string{url}), "ValidationError") << url;
  EXPECT_EQ(code("Action=CreateOpenIDConnectProvider&Url=https://127.0.0.1:8443/team"), "ok");
  EXPECT_EQ(code("Action=CreateOpenIDConnectProvider&Url=https://a.b&ClientIDList.member.1="), "ValidationError");
  EXPECT_EQ(code("Action=CreateOpenIDConnectProvider&Url=https://a.b&ClientIDList=cairn"), "ValidationError");
  EXPECT_EQ(code("Action=CreateOpenIDConnectProvider&Url=https://a.b&ThumbprintList.member.1=ab"), "ValidationError");
  EXPECT_EQ(code("Action=UpdateOpenIDConnectProviderThumbprint&" + provider_arn), "ValidationError");
  EXPECT_EQ(code("Action=UpdateOpenIDConnectProviderThumbprint&" + provider_arn + thumbprint), "ok");
  EXPECT_EQ(code("Action=GetOpenIDConnectProvider"), "ValidationError");
}

TEST(iam, answers_about_identity_providers) {
  metadata::identity_page page;
  page.providers.push_back({.name = "idp.example.org/team",
                            .created = 0,
                            .client_ids = {"cairn"},
                            .thumbprints = {std::string(40, 'a')},
                            .tags = {{"k", "v"}}});
  const auto get = "Action=GetOpenIDConnectProvider&" + provider_arn;
  const auto answer = answer_of(get, &page);
  for (const auto* part : {"<Url>idp.example.org/team<", "<ClientIDList><member>cairn<", "<ThumbprintList><member>aaaa",
                           "<CreateDate>1970-01-01T00:00:00Z<", "<Key>k<"})
    EXPECT_NE(answer.find(part), std::string::npos) << part << " in " << answer;
  EXPECT_EQ(answer_of(get, nullptr), "NoSuchEntity");
  EXPECT_NE(answer_of("Action=ListOpenIDConnectProviderTags&" + provider_arn, &page).find("<IsTruncated>false<"),
            std::string::npos);
  const auto query = query_of(get);
  const auto& of = *find_action("GetOpenIDConnectProvider");
  EXPECT_EQ(resource_of(of, query, &page), "oidc-provider/idp.example.org/team");
  EXPECT_EQ(subject_of(of, query)->name, "idp.example.org/team");
  EXPECT_NE(found_subject(of, query, page), nullptr);
  page.providers.front().name = "idp.example.org/Team";
  EXPECT_EQ(found_subject(of, query, page), nullptr);
  const auto created = change_answer(changed("Action=CreateOpenIDConnectProvider&Url=https://a.b"), 0);
  EXPECT_EQ(created,
            "<OpenIDConnectProviderArn>arn:aws:iam::000000000000:oidc-provider/a.b</OpenIDConnectProviderArn>");
  EXPECT_EQ(resource_of(*find_action("CreateOpenIDConnectProvider"), query_of("Url=https://a.b"), nullptr),
            "oidc-provider/a.b");
}

TEST(iam, has_errors_of_its_own) {
  EXPECT_EQ(as_iam_error({400, "InvalidArgument", "x"}).code, "ValidationError");
  EXPECT_EQ(as_iam_error({413, "EntityTooLarge", "x"}).status, 409u);
  EXPECT_EQ(as_iam_error({403, "InvalidAccessKeyId", "x"}).code, "InvalidClientTokenId");
  EXPECT_EQ(as_iam_error({404, "NoSuchEntity", "x"}).code, "NoSuchEntity");
  const auto root = read_xml(iam_error_xml({403, "AccessDenied", "a < b"}, "id"), {});
  ASSERT_TRUE(root);
  EXPECT_EQ(root->name, "ErrorResponse");
  EXPECT_EQ(root->child("Error")->text_of("Message"), "a < b");
  EXPECT_EQ(root->text_of("RequestId"), "id");
}

TEST(iam, reads_what_a_role_is_made_of) {
  const std::string trust = "%7B%22Statement%22%3A+%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%22*%22%2C"
                            "%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D";
  const auto of = [&](const std::string& more) {
    return change_of("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=" + trust + more);
  };
  const auto made = std::get<metadata::change_identity>(of("&Path=/x/&Description=d&MaxSessionDuration=7200"));
  EXPECT_EQ(made.text, R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}})");
  EXPECT_EQ(made.name + made.path + made.description, "r/x/d");
  EXPECT_EQ(made.version, 7200u);
  EXPECT_EQ(std::get<metadata::change_identity>(of("")).version, 3600u);
  for (const auto* seconds : {"3599", "43201", "x", ""})
    EXPECT_TRUE(std::holds_alternative<s3_error>(of("&MaxSessionDuration=" + std::string{seconds}))) << seconds;
  const auto other = change_of("Action=UpdateAssumeRolePolicy&RoleName=r&PolicyDocument=" + encoded_policy);
  EXPECT_EQ(std::get<s3_error>(other).code, "MalformedPolicyDocument");
  EXPECT_EQ(changed("Action=UpdateRole&RoleName=r").version, 0u);
  EXPECT_FALSE(changed("Action=UpdateRole&RoleName=r").on);
}

} // namespace cairn::net::iam_test
