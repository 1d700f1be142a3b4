// Policies of buckets where commands are applied: what they deny, what they allow, and the public access block.
#include "storage/metadata/commands/authority.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::policies_test {
using policy::action;

class policies : public store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    run(create_key{.stamp = stamp(), .id = "CK1", .secret = "s", .now = 1});
    run(small("there"));
  }
  std::optional<errc> put_policy(const std::string& statements) {
    set_bucket_access c{.stamp = stamp(), .name = "files"};
    c.policy = statements.empty() ? "" : R"({"Version":"2012-10-17","Statement":[)" + statements + "]}";
    return refused(c);
  }
  static std::string statement(std::string_view effect, std::string_view actions, std::string_view more = "") {
    return R"({"Effect":")" + std::string{effect} + R"(","Principal":"*","Action":)" + std::string{actions} +
           R"(,"Resource":["arn:aws:s3:::files","arn:aws:s3:::files/*"])" + std::string{more} + "}";
  }
  void block(std::uint8_t settings) {
    set_bucket_access c{.stamp = stamp(), .name = "files"};
    c.public_block = settings;
    EXPECT_FALSE(refused(c));
  }
  void allow(std::uint8_t allowed) {
    run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "files", .allowed = allowed});
  }
  static authority by_key(std::vector<action> actions, action source = action::none) {
    asked_access asked{.actions = std::move(actions), .source = source};
    asked.with.kind = policy::sender::key;
    return {allowed_by::policy, "CK1", 0, 0, 0, std::make_shared<const asked_access>(std::move(asked))};
  }
  static authority by_configuration(std::vector<action> actions) {
    asked_access asked{.actions = std::move(actions)};
    asked.with.kind = policy::sender::account;
    return {allowed_by::configuration, "", 0, 0, 0, std::make_shared<const asked_access>(std::move(asked))};
  }
  std::optional<errc> put(const authority& by, const std::string& key = "new") {
    auto c = small(key);
    c.by = by;
    return refused(c);
  }
  std::optional<errc> tag(const authority& by, const std::string& key, const std::string& value) {
    set_extras c{.stamp = stamp(), .bucket = "files", .key = key};
    c.tags.emplace().emplace_back("team", value);
    c.by = by;
    return refused(c);
  }
};

TEST_F(policies, are_refused_if_they_are_none_and_kept_as_they_are) {
  set_bucket_access c{.stamp = stamp(), .name = "files"};
  c.policy = "{}";
  EXPECT_EQ(refused(c), errc::invalid_argument);
  EXPECT_EQ(put_policy(statement("Allow", R"("s3:*")")), std::nullopt);
  EXPECT_NE(read()->bucket("files")->policy.compiled(), nullptr);
  EXPECT_EQ(put_policy(""), std::nullopt);
  EXPECT_TRUE(read()->bucket("files")->policy.empty());
  c.stamp = stamp();
  c.public_block = public_block::block_acls; // without `given`
  c.policy.reset();
  EXPECT_EQ(refused(c), errc::invalid_argument);
}

TEST_F(policies, allow_a_key_what_they_say_and_only_as_long) {
  const auto by = by_key({action::put_object});
  EXPECT_EQ(put(by), errc::access_denied);
  put_policy(statement("Allow", R"("s3:PutObject")"));
  EXPECT_EQ(put(by), std::nullopt);
  EXPECT_EQ(put(by_key({action::put_object, action::put_object_acl})), errc::access_denied);
  put_policy(statement("Allow", R"("s3:GetObject")"));
  EXPECT_EQ(put(by), errc::access_denied);
  allow(rights::write); // a right is as good
  EXPECT_EQ(put(by), std::nullopt);
  run(delete_key{.stamp = stamp(), .id = "CK1"});
  EXPECT_EQ(put(by), errc::no_such_access_key);
}

TEST_F(policies, deny_what_rights_and_the_configuration_allow) {
  allow(rights::all);
  put_policy(statement("Deny", R"(["s3:PutObject","s3:*Policy"])"));
  EXPECT_EQ(put(by_key({action::put_object})), errc::access_denied);
  EXPECT_EQ(put(by_configuration({action::put_object})), errc::access_denied);
  EXPECT_EQ(tag(by_key({action::put_object_tagging}), "there", "blue"), std::nullopt);
  const auto remove = [this](const authority& by) {
    set_bucket_access c{.stamp = stamp(), .name = "files", .policy = ""};
    c.by = by;
    return refused(c);
  };
  run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "files", .denied = rights::owner});
  EXPECT_EQ(remove(by_key({action::delete_bucket_policy})), errc::access_denied);
  EXPECT_EQ(remove(by_configuration({action::delete_bucket_policy})), std::nullopt);
  EXPECT_EQ(put(by_configuration({action::put_object})), std::nullopt);
}

TEST_F(policies, are_asked_about_the_tags_that_the_object_has_then) {
  put_policy(statement("Allow", R"("s3:PutObjectTagging")",
                       R"(,"Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"blue"}})"));
  const auto by = by_key({action::put_object_tagging});
  EXPECT_EQ(tag(by, "there", "blue"), errc::access_denied);
  EXPECT_EQ(tag({}, "there", "blue"), std::nullopt);
  EXPECT_EQ(tag(by, "there", "red"), std::nullopt);
  EXPECT_EQ(tag(by, "there", "blue"), errc::access_denied);
  EXPECT_EQ(tag(by, "absent", "blue"), errc::access_denied);
}

TEST_F(policies, of_a_copys_source_are_asked_when_it_is_copied) {
  run(create_bucket{.name = "target", .now = 1});
  run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "target", .allowed = rights::write});
  const auto row = read()->object("files", "there").value();
  const auto copy = [&] {
    copy_object c{
        .stamp = stamp(), .source = {"files", "there", row.version, row.ordinal}, .bucket = "target", .key = "copy"};
    c.by = by_key({action::put_object}, action::get_object);
    return refused(c);
  };
  EXPECT_EQ(copy(), errc::access_denied);
  put_policy(statement("Allow", R"("s3:GetObject")"));
  EXPECT_EQ(copy(), std::nullopt);
  allow(rights::read);
  put_policy(statement("Deny", R"("s3:GetObject")"));
  EXPECT_EQ(copy(), errc::access_denied);
}

TEST_F(policies, of_a_rename_are_asked_about_both_names_when_it_is_done) {
  const auto rename = [this](const std::string& from, const std::string& to) {
    const auto row = object(from);
    rename_object c{.stamp = stamp(), .source = {"files", from, row.version, row.ordinal}, .key = to};
    c.by = by_key({action::put_object}, action::get_object);
    return refused(c);
  };
  EXPECT_EQ(rename("there", "new"), errc::access_denied);
  for (const auto* two : {R"(["s3:PutObject","s3:GetObject"])", R"(["s3:PutObject","s3:DeleteObject"])",
                          R"(["s3:GetObject","s3:DeleteObject"])"}) {
    put_policy(statement("Allow", two));
    EXPECT_EQ(rename("there", "new"), errc::access_denied) << two;
  }
  put_policy(statement("Allow", R"(["s3:PutObject","s3:GetObject","s3:DeleteObject"])"));
  EXPECT_EQ(rename("there", "new"), std::nullopt);
  allow(rights::write);
  put_policy("");
  EXPECT_EQ(rename("new", "newer"), errc::access_denied) << "without the right to read it";
  allow(rights::read);
  EXPECT_EQ(rename("new", "newer"), std::nullopt);
  put_policy(R"({"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::files/kept/*"})");
  EXPECT_EQ(rename("newer", "kept/it"), std::nullopt);
  EXPECT_EQ(rename("kept/it", "away"), errc::access_denied);
}

// A gateway of an older build does not say enough for a policy.
TEST_F(policies, refuse_commands_that_say_too_little) {
  allow(rights::write);
  authority older{allowed_by::key, "CK1", rights::write, 0, 0};
  EXPECT_EQ(put(older), std::nullopt);
  put_policy(statement("Allow", R"("s3:*")"));
  EXPECT_EQ(put(older), errc::access_denied);
  EXPECT_EQ(put({.by = allowed_by::configuration}), errc::access_denied);
  EXPECT_EQ(put({}), std::nullopt); // of the cluster itself
}

TEST_F(policies, and_lists_for_everybody_are_refused_or_ignored_as_the_public_access_block_says) {
  const auto anybody = statement("Allow", R"("s3:PutObject")");
  asked_access asked{.actions = {action::put_object}, .by_acl = true};
  const authority nobody{allowed_by::anybody, "", 0, 0, 0, std::make_shared<const asked_access>(asked)};
  const auto open = [this] {
    set_bucket c{.stamp = stamp(), .name = "files", .public_read = true};
    c.public_write = true;
    return refused(c);
  };
  block(public_block::given | public_block::block_acls);
  EXPECT_EQ(open(), errc::access_denied);
  auto published = small("public");
  published.extras.public_read = true;
  EXPECT_EQ(refused(published), errc::access_denied);
  block(public_block::given | public_block::ignore_acls);
  EXPECT_EQ(open(), std::nullopt);
  EXPECT_EQ(put(nobody), errc::access_denied);
  block(public_block::given | public_block::block_policy);
  EXPECT_EQ(put(nobody), std::nullopt);
  EXPECT_EQ(put_policy(anybody), errc::access_denied);
  block(0);
  run(set_bucket{.stamp = stamp(), .name = "files", .public_read = false});
  EXPECT_EQ(put(nobody), errc::access_denied);
  EXPECT_EQ(put_policy(anybody), std::nullopt);
  EXPECT_EQ(put(nobody), std::nullopt);
  block(public_block::given | public_block::restrict_buckets);
  EXPECT_EQ(put(nobody), errc::access_denied);
  EXPECT_EQ(put(by_key({action::put_object})), std::nullopt);
}

// The access list of an upload is allowed when it begins, and judged again when its object appears.
TEST_F(policies, an_upload_becomes_public_only_by_who_may_publish_then) {
  const auto completed_by = [this](const authority& by, std::uint8_t blocked = 0) {
    block(0);
    begin_upload begin{.stamp = stamp(), .bucket = "files", .key = "big", .now = 5, .nonce = 99};
    begin.extras.public_read = true;
    const upload_name name{.bucket = "files", .key = "big", .id = run(begin).version, .nonce = 99};
    run(put_part{.stamp = stamp(), .upload = name, .number = 1, .now = 6, .digest = {1}});
    if (blocked != 0) block(blocked);
    complete_upload c{.stamp = stamp(), .upload = name, .now = 7};
    c.parts.push_back({1, {1}});
    c.etag = {.digest = {7}, .parts = 1};
    c.by = by;
    return refused(c);
  };
  const auto writer = by_key({action::put_object});
  allow(rights::write);
  EXPECT_EQ(completed_by(writer), errc::access_denied);
  EXPECT_EQ(completed_by({allowed_by::key, "CK1", rights::write, 0, 0}), errc::access_denied) << "of an older gateway";
  EXPECT_EQ(completed_by(by_configuration({action::put_object})), std::nullopt);
  EXPECT_EQ(completed_by({}), std::nullopt);
  put_policy(statement("Allow", R"("s3:PutObjectAcl")"));
  EXPECT_EQ(completed_by(writer), std::nullopt);
  put_policy(statement("Deny", R"("s3:PutObjectAcl")"));
  EXPECT_EQ(completed_by(by_configuration({action::put_object})), errc::access_denied);
  put_policy("");
  allow(rights::write | rights::owner);
  EXPECT_EQ(completed_by(writer), std::nullopt);
  constexpr std::uint8_t lists = public_block::given | public_block::block_acls;
  EXPECT_EQ(completed_by(writer, lists), errc::access_denied);
  run(raise_feature_level{feature_level_of_policies});
  EXPECT_EQ(completed_by(writer, lists), std::nullopt) << "all members of the cluster must decide alike";
  run(raise_feature_level{feature_level_of_judged_uploads});
  EXPECT_EQ(completed_by(writer, lists), errc::access_denied);
}

// What an upload sets is allowed when it begins, and judged again as of a put when its object appears.
TEST_F(policies, an_upload_sets_locks_and_tags_only_by_who_may_set_them_then) {
  run(create_bucket{.name = "locked", .now = 1, .stamp = stamp(), .settings = {.lock = true}});
  run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "locked", .allowed = rights::write});
  constexpr wall_ms day = 24 * 3600 * 1000;
  object_extras retained, held, tagged;
  retained.lock.retained = {retention_mode::compliance, 400 * day};
  held.lock.hold = legal_hold::on;
  tagged.tags = {{"team", "red"}};
  const auto completed = [this](const object_extras& extras, const authority& by) {
    begin_upload begin{.stamp = stamp(), .bucket = "locked", .key = "big", .now = 5, .nonce = 99};
    begin.extras = extras;
    const upload_name name{.bucket = "locked", .key = "big", .id = run(begin).version, .nonce = 99};
    run(put_part{.stamp = stamp(), .upload = name, .number = 1, .now = 6, .digest = {1}});
    complete_upload c{.stamp = stamp(), .upload = name, .now = 7};
    c.parts.push_back({1, {1}});
    c.etag = {.digest = {7}, .parts = 1};
    c.by = by;
    return refused(c);
  };
  const auto deny = [this](std::string_view what, std::string_view condition = {}) {
    set_bucket_access c{.stamp = stamp(), .name = "locked"};
    c.policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":")" +
               std::string{what} + R"(","Resource":"arn:aws:s3:::locked/*")" + std::string{condition} + "}]}";
    EXPECT_FALSE(refused(c));
  };
  const auto writer = by_key({action::put_object}), root = by_configuration({action::put_object});
  const auto all_pass = [&] {
    for (const auto& extras : {retained, held, tagged, object_extras{}})
      if (completed(extras, writer) || completed(extras, root) || completed(extras, {})) return false;
    return true;
  };
  EXPECT_TRUE(all_pass()) << "the right to write is enough";
  deny("s3:PutObjectRetention");
  EXPECT_EQ(completed(retained, writer), errc::access_denied);
  EXPECT_EQ(completed(retained, root), errc::access_denied);
  EXPECT_EQ(completed(retained, {}), std::nullopt);
  EXPECT_EQ(completed(held, writer), std::nullopt);
  deny("s3:PutObjectLegalHold");
  EXPECT_EQ(completed(held, writer), errc::access_denied);
  EXPECT_EQ(completed(retained, writer), std::nullopt);
  deny("s3:PutObjectTagging");
  EXPECT_EQ(completed(tagged, writer), errc::access_denied);
  EXPECT_EQ(completed(held, writer), std::nullopt);

  deny("s3:PutObjectRetention", R"(,"Condition":{"StringEquals":{"s3:object-lock-mode":"COMPLIANCE"}})");
  EXPECT_EQ(completed(retained, writer), errc::access_denied);
  deny("s3:PutObjectRetention", R"(,"Condition":{"StringEquals":{"s3:object-lock-mode":"GOVERNANCE"}})");
  EXPECT_EQ(completed(retained, writer), std::nullopt);
  for (const std::string days : {"399", "400"}) {
    deny("s3:PutObjectRetention",
         R"(,"Condition":{"NumericGreaterThan":{"s3:object-lock-remaining-retention-days":")" + days + R"("}})");
    EXPECT_EQ(completed(retained, writer).has_value(), days == "399");
  }
  deny("s3:PutObject", R"(,"Condition":{"StringEquals":{"s3:RequestObjectTag/team":"red"}})");
  EXPECT_EQ(completed(tagged, writer), errc::access_denied);
  EXPECT_EQ(completed(held, writer), std::nullopt);

  deny("s3:PutObject*", R"(,"Condition":{"StringEquals":{"s3:x-amz-acl":"public-read"}})");
  object_extras published;
  published.public_read = true;
  asked_access asked{.actions = {action::put_object}};
  asked.with.kind = policy::sender::account;
  asked.with.set(policy::context_key::x_amz_acl, "private"); // has no effect on the upload
  const authority veiled{allowed_by::configuration, "", 0, 0, 0, std::make_shared<const asked_access>(asked)};
  EXPECT_EQ(completed(published, veiled), errc::access_denied);
  EXPECT_EQ(completed({}, veiled), std::nullopt);

  deny("s3:PutObjectRetention");
  run(raise_feature_level{feature_level_of_judged_settings - 1});
  EXPECT_EQ(completed(retained, writer), std::nullopt) << "all members of the cluster must decide alike";
  run(raise_feature_level{feature_level_of_judged_settings});
  EXPECT_EQ(completed(retained, writer), errc::access_denied);
}

TEST_F(policies, judge_no_settings_of_uploads_in_a_new_cluster) {
  run(create_cluster{.id = {9}, .name = "c", .now = 1, .first = {.id = {1}, .address = "node:1"}});
  put_policy(statement("Deny", R"("s3:PutObjectAcl")"));
  begin_upload begin{.stamp = stamp(), .bucket = "files", .key = "big", .now = 5, .nonce = 99};
  begin.extras.public_read = true;
  const upload_name name{.bucket = "files", .key = "big", .id = run(begin).version, .nonce = 99};
  run(put_part{.stamp = stamp(), .upload = name, .number = 1, .now = 6, .digest = {1}});
  complete_upload c{.stamp = stamp(), .upload = name, .now = 7};
  c.parts.push_back({1, {1}});
  c.etag = {.digest = {7}, .parts = 1};
  c.by = by_configuration({action::put_object});
  EXPECT_EQ(refused(c), std::nullopt) << "its level is not set yet";
}

} // namespace cairn::storage::metadata::policies_test
