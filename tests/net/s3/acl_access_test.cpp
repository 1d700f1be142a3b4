// What access control lists grant, where requests are authorized.
#include "tests/net/s3/access_scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cairn::net::acl_access_test {

using access_scene::policy_of, access_scene::scene;
namespace metadata = storage::metadata;
using metadata::allowed_by;

// What a sender may do to whom lists grant permissions.
std::string granted(std::string_view operation, std::uint8_t permissions, bool to_user, bool is_signed = true) {
  using storage::policy::grantee;
  scene s{operation};
  s.is_signed = is_signed;
  auto& grants = s.bucket.grants.emplace();
  if (to_user)
    grants.push_back({grantee::user, "CK1", permissions});
  else
    grants.push_back({grantee::authenticated_users, {}, permissions});
  return s.code();
}

TEST(acl_access, lists_of_buckets_let_in_whom_they_name) {
  namespace permission = storage::policy::permission;
  for (const bool to_user : {false, true}) {
    for (const auto permissions : {permission::read, permission::full_control})
      for (const auto* const operation : {"list_objects", "head_bucket", "list_versions", "list_uploads"})
        EXPECT_EQ(granted(operation, permissions, to_user), "") << operation;
    for (const auto* const operation : {"put_object", "delete_object", "begin_upload", "post_object", "abort_upload"}) {
      EXPECT_EQ(granted(operation, permission::write, to_user), "") << operation;
      EXPECT_EQ(granted(operation, permission::read | permission::read_acp | permission::write_acp, to_user),
                "AccessDenied")
          << operation;
    }
    for (const auto* const operation : {"delete_bucket", "write_tags"})
      EXPECT_EQ(granted(operation, permission::all, to_user), "AccessDenied") << operation;
    EXPECT_EQ(granted("list_objects", permission::all, to_user, false), "AccessDenied") << "unsigned";
  }
}

TEST(acl_access, a_grant_is_weaker_than_a_denial_and_void_where_the_bucket_owner_owns_all_objects) {
  using storage::policy::grantee;
  namespace permission = storage::policy::permission;
  scene s{"list_objects"};
  s.bucket.grants = storage::policy::acl_grants{{grantee::user, "CK1", permission::read}};
  EXPECT_EQ(s.code(), "");
  EXPECT_EQ(s.asked.by.by, allowed_by::policy);
  s.bucket.public_block = metadata::public_block::given | metadata::public_block::ignore_acls;
  EXPECT_EQ(s.code(), "") << "it is not public";
  s.bucket.grants = storage::policy::acl_grants{{grantee::authenticated_users, {}, permission::read}};
  EXPECT_EQ(s.code(), "AccessDenied");
  s.bucket.public_block = 0;
  EXPECT_EQ(s.code(), "");
  EXPECT_EQ(s.asked.by.by, allowed_by::anybody);
  s.bucket.ownership = metadata::ownership::enforced;
  EXPECT_EQ(s.code(), "AccessDenied");
  s.bucket.ownership = metadata::ownership::not_given;
  s.bucket.policy = policy_of(R"("Effect":"Deny","Principal":"*","Action":"s3:ListBucket")");
  EXPECT_EQ(s.code(), "AccessDenied");
}

TEST(acl_access, lists_of_objects_are_judged_with_the_objects_row) {
  using storage::policy::grantee;
  namespace permission = storage::policy::permission;
  const auto refused = [](std::string_view operation, std::string_view query, const storage::policy::acl_grants& list) {
    scene s{operation};
    s.asked.route = std::find_if(s.asked.operation->routes.begin(), s.asked.operation->routes.end(),
                                 [&](const auto& r) { return r.query == query && r.of == resource::object; });
    s.asked.target.key = "k";
    EXPECT_EQ(s.code(), "") << operation << query;
    EXPECT_TRUE(s.asked.waits_for_object) << operation << query;
    metadata::object_row row;
    row.extras.grants = list;
    return refused_object(s.asked, &s.bucket, &row).has_value();
  };
  const auto user = [](std::uint8_t p) { return storage::policy::acl_grants{{grantee::user, "CK1", p}}; };
  for (const auto* const operation : {"get_object", "head_object"}) {
    EXPECT_FALSE(refused(operation, "", user(permission::read)));
    EXPECT_TRUE(refused(operation, "", user(permission::write | permission::read_acp)));
    EXPECT_TRUE(refused(operation, "", {{grantee::user, "CK2", permission::all}}));
  }
  EXPECT_FALSE(refused("object_attributes", "attributes", user(permission::read)));
  EXPECT_FALSE(refused("read_setting", "acl", user(permission::read_acp)));
  EXPECT_TRUE(refused("read_setting", "acl", user(permission::read)));
  EXPECT_FALSE(refused("read_setting", "acl", {{grantee::all_users, {}, permission::read_acp}}));
  EXPECT_FALSE(refused("write_setting", "acl", user(permission::write_acp)));
  EXPECT_FALSE(refused("write_setting", "acl", user(permission::full_control)));
  EXPECT_TRUE(refused("write_setting", "acl", user(permission::read_acp)));
}

TEST(acl_access, writers_that_own_their_objects_set_the_list_and_tags_of_new_ones) {
  using storage::policy::grantee;
  namespace permission = storage::policy::permission;
  const auto code = [](std::uint8_t ownership, bool is_signed, std::string_view header, std::uint8_t rights = 0) {
    scene s{"put_object", rights};
    s.is_signed = is_signed;
    s.bucket.ownership = ownership;
    s.bucket.public_read = s.bucket.public_write = true;
    s.head.set(header == "x-amz-tagging" ? "x-amz-tagging" : "x-amz-acl", header == "x-amz-tagging" ? "a=b" : header);
    return s.code();
  };
  using namespace metadata::ownership;
  for (const bool is_signed : {false, true}) {
    for (const auto* const header : {"public-read", "authenticated-read", "x-amz-tagging"}) {
      for (const auto given : {preferred, writer}) EXPECT_EQ(code(given, is_signed, header), "") << header;
      for (const auto given : {not_given, preferred_of_account, writer_of_account})
        EXPECT_EQ(code(given, is_signed, header), "AccessDenied") << header;
    }
    for (const auto* const header : {"private", "bucket-owner-read", "bucket-owner-full-control"})
      EXPECT_EQ(code(not_given, is_signed, header), "") << header;
  }
  EXPECT_EQ(code(writer, true, "public-read", metadata::rights::write), "AccessDenied") << "it acts for the account";
  EXPECT_EQ(code(writer, true, "x-amz-tagging", metadata::rights::write), "");
}

TEST(acl_access, the_owner_of_an_object_has_what_its_list_grants_it) {
  namespace permission = storage::policy::permission;
  const auto refused = [](std::string_view operation, const std::string& owner,
                          const std::optional<storage::policy::acl_grants>& list) {
    scene s{operation};
    s.asked.route =
        std::find_if(s.asked.operation->routes.begin(), s.asked.operation->routes.end(), [&](const auto& r) {
          return r.query == (operation == "get_object" ? "" : "acl") && r.of == resource::object;
        });
    s.asked.target.key = "k";
    EXPECT_EQ(s.code(), "") << operation;
    metadata::object_row row;
    row.extras.owner = owner;
    row.extras.grants = list;
    return refused_object(s.asked, &s.bucket, &row).has_value();
  };
  const storage::policy::acl_grants none{};
  for (const auto* const operation : {"get_object", "read_setting", "write_setting"}) {
    EXPECT_FALSE(refused(operation, "CK1", std::nullopt)) << operation;
    EXPECT_TRUE(refused(operation, "CK2", std::nullopt)) << operation;
    EXPECT_TRUE(refused(operation, "", std::nullopt)) << operation;
    EXPECT_EQ(refused(operation, "CK1", none), operation == std::string_view{"get_object"}) << operation;
  }
}

} // namespace cairn::net::acl_access_test
