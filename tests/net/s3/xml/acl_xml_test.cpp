#include "net/s3/xml/acl_xml.hpp"

#include <gtest/gtest.h>

namespace cairn::net::acl_xml_test {

using storage::policy::acl_grants;
using storage::policy::grantee;
namespace permission = storage::policy::permission;

const std::string owner = "<Owner><ID>cairn</ID></Owner>";

std::string grant(const std::string& to, const std::string& permission) {
  return "<Grant><Grantee>" + to + "</Grantee><Permission>" + permission + "</Permission></Grant>";
}
std::string to_owner(const std::string& permission = "FULL_CONTROL") {
  return grant("<ID>cairn</ID><DisplayName>cairn</DisplayName>", permission);
}
std::string to_group(const std::string& group, const std::string& permission) {
  return grant("<URI>http://acs.amazonaws.com/groups/" + group + "</URI>", permission);
}
std::string policy(const std::string& grants, const std::string& who = owner) {
  return "<AccessControlPolicy>" + who + "<AccessControlList>" + grants + "</AccessControlList></AccessControlPolicy>";
}
std::string code_of(const std::string& body) {
  const auto read = read_acl_document(body, false);
  const auto* refused = std::get_if<s3_error>(&read);
  return refused ? std::string{refused->code} : std::string{};
}
access_list read(const std::string& grants, bool of_object = false) {
  const auto list = read_acl_document(policy(grants), of_object);
  const auto* refused = std::get_if<s3_error>(&list);
  EXPECT_EQ(refused, nullptr) << refused->message;
  return std::get<access_list>(list);
}

using headers = std::vector<std::pair<std::string_view, std::string>>;
std::variant<std::optional<access_list>, s3_error> said(const headers& sent, bool of_object = true) {
  acl_headers all{of_object};
  for (const auto& [name, value] : sent)
    if (auto refused = all.add(name, value)) return std::move(*refused);
  return all.list();
}
std::string code_of(const headers& sent) {
  const auto list = said(sent);
  const auto* refused = std::get_if<s3_error>(&list);
  return refused ? std::string{refused->code} : std::string{};
}
access_list list_of(const headers& sent, bool of_object = true) {
  return std::get<std::optional<access_list>>(said(sent, of_object)).value();
}

TEST(acl_xml, is_read_as_it_is_answered) {
  const acl_grants grants{{grantee::all_users, {}, permission::write},
                          {grantee::authenticated_users, {}, permission::read | permission::read_acp},
                          {grantee::user, "AIDA1", permission::all},
                          {grantee::owner, {}, permission::read}};
  for (const access_list& list : {access_list{}, access_list{true, false, {}}, access_list{true, true, {}},
                                  access_list{false, false, grants}, access_list{false, false, acl_grants{}}})
    EXPECT_EQ(std::get<access_list>(read_acl_document(acl_document(list), false)), list);
  EXPECT_EQ(read(to_owner("READ") + to_owner() + to_owner("WRITE_ACP")), access_list{});
}

TEST(acl_xml, is_what_a_canned_list_says_where_one_does) {
  const auto all = to_group("global/AllUsers", "READ");
  EXPECT_EQ(read(all + to_owner()), (access_list{true, false, {}}));
  EXPECT_EQ(read(to_owner() + all + to_group("global/AllUsers", "WRITE")), (access_list{true, true, {}}));
  EXPECT_EQ(read(to_owner() + all + to_group("global/AllUsers", "WRITE"), true).grants,
            (acl_grants{{grantee::all_users, {}, permission::read | permission::write},
                        {grantee::bucket_owner, {}, permission::full_control}}))
      << "of an object, whose owner is known where the command is applied";
  EXPECT_EQ(read("").grants, acl_grants{}) << "nobody is granted anything";
  EXPECT_EQ(read(all).grants, (acl_grants{{grantee::all_users, {}, permission::read}}));
  EXPECT_TRUE(read(to_owner() + to_group("global/AllUsers", "WRITE")).grants);
  EXPECT_TRUE(read(to_owner() + to_group("global/AllUsers", "FULL_CONTROL")).grants);
  const auto named = read(to_owner() + grant("<ID>AIDA1</ID>", "READ") + grant("<ID> CK1\n</ID>", "WRITE_ACP"));
  EXPECT_EQ(grantees_in(named), (std::vector<std::string>{"AIDA1", "CK1"}));
  EXPECT_TRUE(grantees_in(read(to_owner())).empty());
}

TEST(acl_xml, is_refused_with_grantees_that_do_not_exist_here) {
  EXPECT_EQ(code_of(policy(to_owner() + to_group("s3/LogDelivery", "WRITE"))), "NotImplemented");
  EXPECT_EQ(code_of(policy(to_owner() + to_group("global/Everybody", "READ"))), "InvalidArgument");
  EXPECT_EQ(code_of(policy(to_owner() + grant("<EmailAddress>a@b</EmailAddress>", "READ"))),
            "UnresolvableGrantByEmailAddress");
  EXPECT_EQ(code_of(policy(to_owner() + grant("<ID></ID>", "READ"))), "InvalidArgument");
  EXPECT_EQ(code_of(policy(to_owner() + grant("<ID>" + std::string(129, 'a') + "</ID>", "READ"))), "InvalidArgument");
  EXPECT_EQ(code_of(policy(to_owner(), "<Owner><ID>somebody</ID></Owner>")), "AccessDenied");
  std::string many;
  for (int i = 0; i < 100; ++i) many += grant("<ID>u" + std::to_string(i) + "</ID>", "READ");
  EXPECT_EQ(code_of(policy(many)), "");
  EXPECT_EQ(code_of(policy(many + to_owner())), "MalformedACLError");
}

TEST(acl_xml, is_malformed_with_elements_that_s3_does_not_know) {
  EXPECT_EQ(code_of("<AccessControlPolicy/>"), "MalformedXML");
  EXPECT_EQ(code_of("hello"), "MalformedXML");
  EXPECT_EQ(code_of(policy(to_owner() + "<Deny/>")), "MalformedXML");
  EXPECT_EQ(code_of(policy(to_owner("EVERYTHING"))), "MalformedXML");
  EXPECT_EQ(code_of(policy(grant("<ID>cairn</ID><Until>tomorrow</Until>", "READ"))), "MalformedXML");
  EXPECT_EQ(code_of(policy(grant("<ID>cairn</ID><EmailAddress>a@b</EmailAddress>", "READ"))), "MalformedXML");
  EXPECT_EQ(code_of(policy(to_owner(), owner + "<Colour/>")), "MalformedXML");
  EXPECT_EQ(code_of(policy(to_owner(), "")), "MalformedXML");
}

TEST(acl_xml, of_an_object_names_its_owner_and_the_bucket_s) {
  const access_list list{false, false, storage::policy::bucket_owner_full_control()};
  const auto document = acl_document(list, "AIDA1");
  EXPECT_NE(document.find("<Owner><ID>AIDA1</ID>"), std::string::npos);
  const auto again = std::get<access_list>(read_acl_document(document, true, "AIDA1"));
  EXPECT_EQ(again.grants, (acl_grants{{grantee::user, "AIDA1", permission::full_control},
                                      {grantee::bucket_owner, {}, permission::full_control}}));
  const auto refused = [&document](std::string_view whose) {
    return std::get<s3_error>(read_acl_document(document, true, whose)).code;
  };
  EXPECT_EQ(refused("AIDA2"), "AccessDenied") << "the owner cannot be changed";
  EXPECT_EQ(refused(""), "AccessDenied");
}

TEST(acl_headers, have_canned_lists) {
  EXPECT_FALSE(std::get<std::optional<access_list>>(said({{"x-amz-date", "public-read"}})));
  EXPECT_EQ(list_of({{"X-Amz-Acl", "private"}}), access_list{});
  for (const auto* same : {"private", "bucket-owner-full-control", "bucket-owner-read"})
    EXPECT_EQ(list_of({{"X-Amz-Acl", same}}, false), access_list{}) << same << " of a bucket";
  EXPECT_EQ(list_of({{"x-amz-acl", "bucket-owner-full-control"}}).grants, storage::policy::bucket_owner_full_control());
  EXPECT_EQ(
      list_of({{"x-amz-acl", "bucket-owner-read"}}).grants,
      (acl_grants{{grantee::owner, {}, permission::full_control}, {grantee::bucket_owner, {}, permission::read}}));
  EXPECT_EQ(list_of({{"x-amz-acl", "public-read"}}), (access_list{true, false, {}}));
  EXPECT_EQ(list_of({{"x-amz-acl", "public-read-write"}}),
            (access_list{false, false, storage::policy::public_read_write()}))
      << "of an object";
  EXPECT_EQ(list_of({{"x-amz-acl", "public-read-write"}}, false), (access_list{true, true, {}}));
  EXPECT_EQ(list_of({{"x-amz-acl", "authenticated-read"}}).grants,
            (acl_grants{{grantee::authenticated_users, {}, permission::read},
                        {grantee::owner, {}, permission::full_control}}));
  for (const auto* other : {"aws-exec-read", "log-delivery-write"})
    EXPECT_EQ(code_of({{"x-amz-acl", other}}), "NotImplemented") << other;
  for (const auto* none : {"mine", "", "Private"}) EXPECT_EQ(code_of({{"x-amz-acl", none}}), "InvalidArgument") << none;
}

TEST(acl_headers, have_lists_of_grantees) {
  const std::string all = "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"";
  EXPECT_EQ(
      list_of({{"x-amz-grant-read", all + ", id=\"AIDA1\",ID=CK1"}, {"X-Amz-Grant-Full-Control", "id=cairn"}}).grants,
      (acl_grants{{grantee::all_users, {}, permission::read},
                  {grantee::user, "AIDA1", permission::read},
                  {grantee::user, "CK1", permission::read},
                  {grantee::bucket_owner, {}, permission::full_control}}));
  EXPECT_EQ(list_of({{"x-amz-grant-read", all}, {"x-amz-grant-full-control", "id=cairn"}}, false),
            (access_list{true, false, {}}));
  EXPECT_EQ(list_of({{"x-amz-grant-write-acp", "id=a"}}).grants,
            (acl_grants{{grantee::user, "a", permission::write_acp}}));
  EXPECT_EQ(code_of({{"x-amz-grant-read", "emailAddress=\"a@b\""}}), "UnresolvableGrantByEmailAddress");
  EXPECT_EQ(code_of({{"x-amz-grant-read", "uri=\"http://acs.amazonaws.com/groups/s3/LogDelivery\""}}),
            "NotImplemented");
  for (const auto* malformed :
       {"", "AIDA1", "id", "id=", "id=\"a", "id=\"a\" b", "id=a,", ",id=a", "id=a;b=c d", "name=a", "id=\"a,b\""})
    EXPECT_EQ(code_of({{"x-amz-grant-read", malformed}}), "InvalidArgument") << malformed;
  EXPECT_EQ(code_of({{"x-amz-grant-read", "id=" + std::string(2000, 'a')}}), "InvalidArgument");
  EXPECT_EQ(code_of({{"x-amz-acl", "private"}, {"x-amz-grant-read", "id=a"}}), "InvalidRequest");
}

TEST(acl_headers, tell_whether_they_give_rights) {
  EXPECT_FALSE(gives_rights("x-amz-grant-full-control", "id=cairn")) << "it has all rights";
  EXPECT_TRUE(gives_rights("x-amz-grant-full-control", "id=cairn, id=AIDA1"));
  EXPECT_TRUE(gives_rights("x-amz-grant-full-control", "nonsense"));
  EXPECT_TRUE(gives_rights("x-amz-grant-read", "id=cairn"));
  EXPECT_TRUE(gives_rights("X-Amz-Acl", "authenticated-read"));
  EXPECT_TRUE(gives_rights("x-amz-acl", "public-read"));
  for (const auto* none : {"private", "bucket-owner-full-control", "bucket-owner-read"})
    EXPECT_FALSE(gives_rights("x-amz-acl", none)) << none;
  EXPECT_FALSE(gives_rights("x-amz-grants", "id=a"));
  EXPECT_FALSE(is_grant_header("x-amz-grant-everything"));
}

} // namespace cairn::net::acl_xml_test
