// Who owns an object, where the bucket's ownership lets writers own what they write.
#include "storage/metadata/commands/authority.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::owners_test {
using policy::acl_grants;
using policy::action;
using policy::grantee;
namespace permission = policy::permission;

const acl_grants to_signers{{grantee::authenticated_users, {}, permission::read},
                            {grantee::owner, {}, permission::full_control}};
const acl_grants read_by_bucket_owner{{grantee::owner, {}, permission::full_control},
                                      {grantee::bucket_owner, {}, permission::read}};

class owners : public store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    for (const auto* key : {"CK1", "CK2"}) run(create_key{.stamp = stamp(), .id = key, .secret = "s", .now = 1});
    own(ownership::writer);
    set_bucket open{.stamp = stamp(), .name = "files", .public_read = true, .public_write = true};
    open.public_objects = false;
    run(open);
  }
  std::optional<errc> own(std::uint8_t ownership) {
    set_bucket c{.stamp = stamp(), .name = "files"};
    c.ownership = ownership;
    return refused(c);
  }
  static authority by(const std::string& key, std::vector<action> actions = {action::put_object}) {
    asked_access asked{.actions = std::move(actions), .by_acl = true};
    if (!key.empty()) asked.with.kind = policy::sender::key;
    return {key.empty() ? allowed_by::anybody : allowed_by::policy, key, 0, 0, 0,
            std::make_shared<const asked_access>(std::move(asked))};
  }
  std::optional<errc> put(const authority& a, const std::optional<acl_grants>& list = {}) {
    auto c = small("k");
    c.by = a;
    c.extras.grants = list;
    return refused(c);
  }
  std::string owner_after(const authority& a, const std::optional<acl_grants>& list = {}) {
    EXPECT_EQ(put(a, list), std::nullopt);
    return object("k").extras.owner;
  }
  bool may(const std::string& key, action what) {
    const auto row = object("k");
    const auto keys = read()->access_key(key).value();
    return judge(by(key, {what}), what, &keys, read()->bucket("files").value(), {"k", &row}).made == ruling::allowed;
  }
};

TEST_F(owners, are_those_to_whom_nothing_but_the_bucket_allows_to_write) {
  EXPECT_EQ(owner_after(by("CK1")), "CK1") << "by the bucket's list";
  EXPECT_EQ(owner_after({}), "");
  EXPECT_EQ(owner_after(by("")), "") << "nobody can be an anonymous writer later";
  auto root = by("CK1");
  root.by = allowed_by::configuration;
  root.key.clear();
  EXPECT_EQ(owner_after(root), "");
  run(change_key{.stamp = stamp(), .id = "CK2", .bucket = "files", .allowed = rights::write});
  EXPECT_EQ(owner_after(by("CK2")), "") << "it acts for the account";
  run(set_bucket{.stamp = stamp(), .name = "files", .public_read = false});
  EXPECT_EQ(put(by("CK1")), errc::access_denied);
  set_bucket_access c{.stamp = stamp(), .name = "files"};
  c.policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:PutObject",)"
             R"("Resource":"arn:aws:s3:::files/*"}]})";
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_EQ(owner_after(by("CK1")), "CK1") << "by the bucket's policy";
  EXPECT_EQ(owner_after(by("CK2")), "");
}

TEST_F(owners, are_kept_only_where_the_ownership_was_given_so) {
  for (const auto ownership : {ownership::not_given, ownership::preferred_of_account, ownership::writer_of_account}) {
    EXPECT_EQ(own(ownership), std::nullopt);
    EXPECT_EQ(owner_after(by("CK1")), "") << int{ownership};
    EXPECT_EQ(put(by("CK1", {action::put_object, action::put_object_acl}), to_signers), errc::access_denied);
  }
  EXPECT_EQ(own(ownership::preferred), std::nullopt);
  EXPECT_EQ(owner_after(by("CK1")), "CK1");
  EXPECT_EQ(owner_after(by("CK1"), policy::bucket_owner_full_control()), "") << "given away";
  EXPECT_FALSE(object("k").extras.has_list());
  EXPECT_EQ(owner_after(by("CK1"), read_by_bucket_owner), "CK1");
  EXPECT_EQ(object("k").extras.grants, read_by_bucket_owner);
  EXPECT_EQ(own(ownership::writer), std::nullopt);
  EXPECT_EQ(owner_after(by("CK1"), policy::bucket_owner_full_control()), "CK1");
  EXPECT_EQ(object("k").extras.grants, policy::bucket_owner_full_control());
}

TEST_F(owners, may_do_what_the_list_grants_and_always_read_and_set_it) {
  EXPECT_EQ(owner_after(by("CK1")), "CK1");
  for (const auto what : {action::get_object, action::get_object_acl, action::put_object_acl}) {
    EXPECT_TRUE(may("CK1", what)) << to_string(what);
    EXPECT_FALSE(may("CK2", what)) << to_string(what);
  }
  EXPECT_FALSE(may("CK1", action::put_object_tagging));
  set_extras none{.stamp = stamp(), .bucket = "files", .key = "k"};
  none.grants = acl_grants{};
  none.by = by("CK1", {action::put_object_acl});
  EXPECT_EQ(refused(none), std::nullopt);
  EXPECT_EQ(object("k").extras.owner, "CK1");
  EXPECT_FALSE(may("CK1", action::get_object)) << "it took the right from itself";
  EXPECT_TRUE(may("CK1", action::put_object_acl));
  run(set_bucket{.stamp = stamp(), .name = "files", .public_read = false});
  EXPECT_EQ(own(ownership::enforced), std::nullopt);
  for (const auto what : {action::get_object_acl, action::put_object_acl}) EXPECT_FALSE(may("CK1", what));
  EXPECT_EQ(own(ownership::not_given), std::nullopt);
  EXPECT_TRUE(may("CK1", action::get_object_acl)) << "it still owns the object";
}

TEST_F(owners, set_the_list_and_the_tags_of_what_they_write) {
  const auto with_list = [](const std::string& key) { return by(key, {action::put_object, action::put_object_acl}); };
  EXPECT_EQ(put(with_list("CK1"), to_signers), std::nullopt);
  EXPECT_EQ(put(with_list(""), to_signers), std::nullopt);
  EXPECT_EQ(put(by("", {action::put_object, action::put_object_tagging})), std::nullopt);
  EXPECT_EQ(put(by("CK1", {action::put_object, action::put_object_retention})), errc::access_denied);
  run(change_key{.stamp = stamp(), .id = "CK2", .bucket = "files", .allowed = rights::write});
  EXPECT_EQ(put(with_list("CK2"), to_signers), errc::access_denied) << "it writes for the account";
  set_bucket_access c{.stamp = stamp(), .name = "files"};
  c.public_block = public_block::given | public_block::block_acls;
  EXPECT_EQ(refused(c), std::nullopt);
  for (const auto* key : {"CK1", ""}) EXPECT_EQ(put(with_list(key), to_signers), errc::access_denied);
}

TEST_F(owners, of_an_upload_own_its_object_unless_the_bucket_owner_owns_all_meanwhile) {
  for (const bool enforced : {false, true}) {
    begin_upload begin{.stamp = stamp(), .bucket = "files", .key = "k", .nonce = 5, .headers = {}};
    begin.by = by("CK1");
    begin.extras.grants = read_by_bucket_owner;
    const upload_name name{"files", "k", run(begin).version, 5};
    EXPECT_EQ(read()->upload(name)->extras.owner, "CK1");
    EXPECT_EQ(read()->uploads({.bucket = "files"})->uploads.at(0).owner, "CK1");
    run(put_part{.stamp = stamp(), .upload = name, .number = 1, .content = std::string{}});
    if (enforced) {
      run(set_bucket{.stamp = stamp(), .name = "files", .public_read = false});
      EXPECT_EQ(own(ownership::enforced), std::nullopt);
    }
    complete_upload done{.stamp = stamp(), .upload = name, .parts = {{1, {}}}};
    done.etag.parts = 1;
    if (!enforced) done.by = by("CK1");
    EXPECT_EQ(refused(done), std::nullopt);
    EXPECT_EQ(object("k").extras.owner, enforced ? "" : "CK1");
    EXPECT_EQ(object("k").extras.has_list(), !enforced);
  }
}

TEST_F(owners, of_copies_are_those_who_copy_and_lists_are_kept_as_the_owners) {
  EXPECT_EQ(owner_after({}), "");
  run(set_extras{.stamp = stamp(), .bucket = "files", .key = "k", .public_read = true});
  const auto row = object("k");
  copy_object copy{.stamp = stamp(), .source = {"files", "k", row.version, row.ordinal}, .bucket = "files", .key = "k"};
  copy.extras.emplace().grants = acl_grants{{grantee::user, "CK1", permission::read | permission::full_control}};
  copy.by = by("CK1");
  auto asked = *copy.by.asked;
  asked.source = action::get_object;
  copy.by.asked = std::make_shared<const asked_access>(asked);
  EXPECT_EQ(refused(copy), std::nullopt);
  EXPECT_EQ(object("k").extras.owner, "CK1");
  EXPECT_FALSE(object("k").extras.has_list()) << "private: its owner has all rights";
  EXPECT_EQ(read()->list({.bucket = "files"})->objects.at(0).owner, "CK1");
  EXPECT_EQ(read()->versions({.bucket = "files"})->versions.at(0).owner, "CK1");
  EXPECT_EQ(owner_after({}, acl_grants{{grantee::bucket_owner, {}, permission::full_control}}), "");
  EXPECT_FALSE(object("k").extras.has_list()) << "the account is both";
}

TEST_F(owners, of_buckets_are_no_grantees_of_their_list) {
  set_bucket c{.stamp = stamp(), .name = "files"};
  c.grants = policy::bucket_owner_full_control();
  EXPECT_EQ(refused(c), errc::invalid_argument);
  create_bucket made{.name = "other", .now = 3};
  made.settings.grants = policy::bucket_owner_full_control();
  EXPECT_EQ(refused(made), errc::invalid_argument);
}

} // namespace cairn::storage::metadata::owners_test
