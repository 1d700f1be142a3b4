// Grants of access control lists where commands are applied: what they allow, and where they are refused.
#include "storage/metadata/commands/authority.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::grants_test {
using policy::acl_grants;
using policy::action;
using policy::grantee;
namespace permission = policy::permission;

acl_grants to_key(std::uint8_t permissions) {
  return {{grantee::user, "CK1", permissions}, {grantee::owner, {}, permission::full_control}};
}
const acl_grants to_signers{{grantee::authenticated_users, {}, permission::read}};

class grants : public store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    run(create_key{.stamp = stamp(), .id = "CK1", .secret = "s", .now = 1});
    run(create_key{.stamp = stamp(), .id = "CK2", .secret = "s", .now = 1});
    run(small("there"));
  }
  static authority by_key(std::vector<action> actions, const std::string& key = "CK1") {
    asked_access asked{.actions = std::move(actions)};
    asked.with.kind = policy::sender::key;
    return {allowed_by::policy, key, 0, 0, 0, std::make_shared<const asked_access>(std::move(asked))};
  }
  std::optional<errc> put(const authority& by, const std::optional<acl_grants>& list = {}) {
    auto c = small("new");
    c.by = by;
    c.extras.grants = list;
    return refused(c);
  }
  std::optional<errc> grant_bucket(const acl_grants& list, const authority& by = {}) {
    set_bucket c{.stamp = stamp(), .name = "files"};
    c.grants = list;
    c.by = by;
    return refused(c);
  }
  std::optional<errc> grant_object(const acl_grants& list, const authority& by = {}) {
    set_extras c{.stamp = stamp(), .bucket = "files", .key = "there"};
    c.grants = list;
    c.by = by;
    return refused(c);
  }
  void block(std::uint8_t settings) {
    set_bucket_access c{.stamp = stamp(), .name = "files"};
    c.public_block = public_block::given | settings;
    EXPECT_FALSE(refused(c));
  }
};

TEST_F(grants, of_a_bucket_hold_as_long_as_they_are_there) {
  const auto by = by_key({action::put_object});
  EXPECT_EQ(put(by), errc::access_denied);
  EXPECT_EQ(grant_bucket(to_key(permission::write)), std::nullopt);
  EXPECT_EQ(put(by), std::nullopt);
  EXPECT_EQ(put(by_key({action::put_object}, "CK2")), errc::access_denied);
  EXPECT_EQ(put(by_key({action::delete_object_version})), errc::access_denied);
  EXPECT_EQ(grant_bucket(to_key(permission::read)), std::nullopt);
  EXPECT_EQ(put(by), errc::access_denied);
  EXPECT_EQ(grant_bucket(to_key(permission::full_control)), std::nullopt);
  EXPECT_EQ(put(by), std::nullopt);
  run(set_bucket{.stamp = stamp(), .name = "files", .public_read = false});
  EXPECT_FALSE(read()->bucket("files")->grants);
  EXPECT_EQ(put(by), errc::access_denied);
}

TEST_F(grants, of_write_acp_allow_to_set_the_list_and_nothing_else) {
  const auto by = by_key({action::put_bucket_acl});
  EXPECT_EQ(grant_bucket(to_key(permission::all), by), errc::access_denied);
  EXPECT_EQ(grant_bucket(to_key(permission::write_acp)), std::nullopt);
  EXPECT_EQ(put(by_key({action::put_object})), errc::access_denied);
  EXPECT_EQ(grant_bucket({}, by), std::nullopt);
  EXPECT_EQ(grant_bucket(to_key(permission::all), by), errc::access_denied) << "he has given it away";

  const auto of_object = by_key({action::put_object_acl});
  EXPECT_EQ(grant_object({}, of_object), errc::access_denied);
  EXPECT_EQ(grant_object(to_key(permission::write_acp | permission::read)), std::nullopt);
  EXPECT_EQ(grant_object(to_key(permission::write_acp), of_object), std::nullopt);
  EXPECT_EQ(object("there").extras.grants, to_key(permission::write_acp));
  EXPECT_EQ(grant_object(to_signers, by_key({action::put_object_acl}, "CK2")), errc::access_denied);
}

TEST_F(grants, of_the_object_that_is_replaced_do_not_count_for_the_new_one) {
  EXPECT_EQ(grant_bucket(to_key(permission::write)), std::nullopt);
  EXPECT_EQ(grant_object(to_key(permission::all)), std::nullopt);
  auto c = small("there");
  c.by = by_key({action::put_object, action::put_object_acl});
  c.extras.grants = to_signers;
  EXPECT_EQ(refused(c), errc::access_denied);
  c.stamp = stamp();
  c.extras.grants.reset();
  c.by = by_key({action::put_object});
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_FALSE(object("there").extras.grants) << "private again";
}

TEST_F(grants, are_refused_as_public_lists_are) {
  block(public_block::block_acls);
  EXPECT_EQ(grant_bucket(to_signers), errc::access_denied);
  EXPECT_EQ(grant_object(to_signers), errc::access_denied);
  EXPECT_EQ(put({}, to_signers), errc::access_denied);
  EXPECT_EQ(grant_bucket(to_key(permission::read)), std::nullopt);
  EXPECT_EQ(put({}, to_key(permission::read)), std::nullopt);
  block(0);
  EXPECT_EQ(grant_object(to_signers), std::nullopt);
  set_bucket own{.stamp = stamp(), .name = "files"};
  own.ownership = ownership::enforced;
  EXPECT_EQ(refused(own), errc::acl_not_supported) << "the bucket has a list";
  run(set_bucket{.stamp = stamp(), .name = "files", .public_read = false});
  own.stamp = stamp();
  EXPECT_EQ(refused(own), std::nullopt);
  EXPECT_EQ(grant_bucket(to_key(permission::read)), errc::acl_not_supported);
  EXPECT_EQ(grant_object(to_key(permission::read)), errc::acl_not_supported);
  EXPECT_EQ(put({}, to_key(permission::read)), errc::acl_not_supported);
}

TEST_F(grants, that_are_no_list_are_refused) {
  const acl_grants twice{{grantee::owner, {}, 1}, {grantee::owner, {}, 2}};
  EXPECT_EQ(grant_bucket(twice), errc::invalid_argument);
  EXPECT_EQ(grant_object(twice), errc::invalid_argument);
  EXPECT_EQ(put({}, twice), errc::invalid_argument);
}

TEST_F(grants, go_with_an_upload_and_are_judged_at_its_end) {
  begin_upload begin{.stamp = stamp(), .bucket = "files", .key = "large", .nonce = 5, .headers = {}};
  begin.extras.grants = to_signers;
  const auto id = run(begin).version;
  const upload_name name{"files", "large", id, 5};
  run(put_part{.stamp = stamp(), .upload = name, .number = 1, .content = std::string{}});
  complete_upload done{.stamp = stamp(), .upload = name, .parts = {{1, {}}}};
  done.etag.parts = 1;
  run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "files", .allowed = rights::write});
  done.by = by_key({action::put_object});
  done.stamp = stamp();
  EXPECT_EQ(refused(done), errc::access_denied) << "PutObjectAcl";
  run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "files", .allowed = rights::owner});
  done.stamp = stamp();
  EXPECT_EQ(refused(done), std::nullopt);
  EXPECT_EQ(object("large").extras.grants, to_signers);
}

TEST_F(grants, of_an_upload_are_what_policies_are_asked_about_at_its_end) {
  begin_upload begin{.stamp = stamp(), .bucket = "files", .key = "large", .nonce = 5, .headers = {}};
  begin.extras.grants = acl_grants{{grantee::user, "CK2", permission::read}};
  const upload_name name{"files", "large", run(begin).version, 5};
  run(put_part{.stamp = stamp(), .upload = name, .number = 1, .content = std::string{}});
  run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "files", .allowed = rights::all});
  const auto complete = [&](const std::string& pattern) {
    set_bucket_access c{.stamp = stamp(), .name = "files"};
    c.policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",)"
               R"("Resource":"arn:aws:s3:::files/*","Condition":{"StringLike":{"s3:x-amz-grant-read":")" +
               pattern + R"("}}}]})";
    EXPECT_EQ(refused(c), std::nullopt);
    complete_upload done{.stamp = stamp(), .upload = name, .parts = {{1, {}}}};
    done.etag.parts = 1;
    done.by = by_key({action::put_object});
    return refused(done);
  };
  EXPECT_EQ(complete("*id=CK2*"), errc::access_denied);
  EXPECT_EQ(complete("*id=CK3*"), std::nullopt);
}

TEST_F(grants, are_not_copied) {
  EXPECT_EQ(grant_object(to_signers), std::nullopt);
  const auto row = object("there");
  run(copy_object{
      .stamp = stamp(), .source = {"files", "there", row.version, row.ordinal}, .bucket = "files", .key = "copy"});
  EXPECT_FALSE(object("copy").extras.has_list());
}

TEST_F(grants, name_users_by_their_ids) {
  EXPECT_TRUE(read()->user_ids().value().empty());
  change_identity made{.stamp = stamp(), .what = action::iam_create_user, .now = 1};
  made.name = "ann";
  made.id = "AIDA1";
  run(made);
  made.stamp = stamp();
  made.name = "bob";
  made.id = "AIDA0";
  run(made);
  EXPECT_EQ(read()->user_ids().value(), (std::vector<std::string>{"AIDA0", "AIDA1"}));
}

TEST_F(grants, of_a_new_bucket_are_its_list) {
  create_bucket made{.name = "other", .now = 3};
  made.settings.grants = to_key(permission::read);
  EXPECT_EQ(refused(made), std::nullopt);
  EXPECT_EQ(read()->bucket("other")->grants, to_key(permission::read));
  made.settings.grants.reset();
  made.settings.again = true;
  EXPECT_EQ(refused(made), std::nullopt);
  EXPECT_FALSE(read()->bucket("other")->has_list());
}

} // namespace cairn::storage::metadata::grants_test
