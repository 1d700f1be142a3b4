// Roles where commands are applied, and what their sessions may do at each log index.
#include "storage/metadata/commands/identity.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

#include <array>

namespace cairn::storage::metadata::roles_test {
using policy::action;

const std::string trust =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}})";
std::string statement_of(std::string_view effect, std::string_view more = "") {
  return R"({"Version":"2012-10-17","Statement":{"Effect":")" + std::string{effect} +
         R"(","Action":"s3:PutObject","Resource":"*")" + std::string{more} + "}}";
}

class roles : public store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    EXPECT_EQ(refused(made("backup")), std::nullopt);
  }
  change_identity about(action what, const std::string& other = {}, std::string text = {}) {
    change_identity c{.stamp = stamp(), .what = what, .now = 5, .name = "backup", .other = other};
    c.text = std::move(text);
    return c;
  }
  change_identity made(const std::string& name) {
    auto c = about(action::iam_create_role, {}, trust);
    c.name = name;
    c.id = "AROA1";
    c.version = 3600;
    return c;
  }
  std::optional<errc> put_policy(std::string_view effect, std::string_view more = "") {
    return refused(about(action::iam_put_role_policy, "own", statement_of(effect, more)));
  }
  std::optional<errc> put(sts_session session, wall_ms at = 10) {
    auto c = small("new");
    asked_access asked{.actions = {action::put_object}};
    asked.with.kind = policy::sender::key;
    asked.with.time = at;
    c.by = {allowed_by::identity, "ASIA1", 0, 0, 0, std::make_shared<const asked_access>(std::move(asked))};
    c.by.session = std::make_shared<const sts_session>(std::move(session));
    return refused(c);
  }
  static sts_session session(std::string policy = {}) {
    return {true, "backup", "AROA1", "nightly", 5000, 900'000, std::move(policy)};
  }
  role_row role() {
    identity_query query;
    query.kind = identity_kind::role;
    query.name = "BACKUP";
    return read()->identities(query).value().roles.at(0);
  }
};

TEST_F(roles, are_made_changed_and_deleted) {
  EXPECT_EQ(refused(made("Backup")), errc::identity_exists);
  EXPECT_EQ(role().trust, trust);
  EXPECT_EQ(decode_role(encode(role())).value(), role());
  auto c = about(action::iam_update_role);
  c.version = 7200;
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_EQ(role().session_seconds_max, 7200u);
  c.stamp = stamp();
  c.version = 43201;
  EXPECT_EQ(refused(c), errc::invalid_argument);
  EXPECT_EQ(refused(about(action::iam_update_assume_role_policy, {}, statement_of("Allow"))), errc::invalid_argument);
  EXPECT_EQ(put_policy("Allow"), std::nullopt);
  EXPECT_EQ(refused(about(action::iam_delete_role)), errc::identity_in_use);
  EXPECT_EQ(refused(about(action::iam_delete_role_policy, "own")), std::nullopt);
  EXPECT_EQ(refused(about(action::iam_delete_role)), std::nullopt);
  EXPECT_EQ(refused(about(action::iam_delete_role)), errc::no_such_identity);
}

TEST_F(roles, give_their_sessions_the_policies_that_they_have_when_a_command_is_applied) {
  EXPECT_EQ(put(session()), errc::access_denied);
  EXPECT_EQ(put_policy("Allow"), std::nullopt);
  EXPECT_EQ(put(session()), std::nullopt);
  EXPECT_EQ(refused(about(action::iam_delete_role_policy, "own")), std::nullopt);
  EXPECT_EQ(put(session()), errc::access_denied);
}

TEST_F(roles, have_no_sessions_after_they_were_deleted_or_made_again) {
  EXPECT_EQ(refused(about(action::iam_delete_role)), std::nullopt);
  EXPECT_EQ(put(session()), errc::no_such_access_key);
  auto again = made("backup");
  again.id = "AROA2";
  EXPECT_EQ(refused(again), std::nullopt);
  EXPECT_EQ(put_policy("Allow"), std::nullopt);
  EXPECT_EQ(put(session()), errc::no_such_access_key);
}

TEST_F(roles, have_sessions_that_end) {
  EXPECT_EQ(put_policy("Allow"), std::nullopt);
  EXPECT_EQ(put(session(), 899'999), std::nullopt);
  EXPECT_EQ(put(session(), 900'000), errc::no_such_access_key);
  run(advance_lock_time{900'000});
  EXPECT_EQ(put(session(), 10), errc::no_such_access_key) << "the cluster's time counts, too";
}

TEST_F(roles, have_sessions_that_a_session_policy_limits) {
  EXPECT_EQ(put_policy("Allow"), std::nullopt);
  EXPECT_EQ(put(session(statement_of("Allow"))), std::nullopt);
  EXPECT_EQ(put(session(statement_of("Deny"))), errc::access_denied);
  const std::string reads = R"({"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}})";
  EXPECT_EQ(put(session(reads)), errc::access_denied);
  EXPECT_EQ(refused(about(action::iam_delete_role_policy, "own")), std::nullopt);
  EXPECT_EQ(put(session(statement_of("Allow"))), errc::access_denied) << "it gives no rights";
}

TEST_F(roles, have_sessions_that_are_revoked_by_the_time_of_their_tokens) {
  EXPECT_EQ(put_policy("Allow"), std::nullopt);
  const auto revoke = [&](std::string_view before) {
    const auto more = R"(,"Condition":{"DateLessThan":{"aws:TokenIssueTime":")" + std::string{before} + "\"}}";
    return refused(about(action::iam_put_role_policy, "revoked", statement_of("Deny", more)));
  };
  EXPECT_EQ(revoke("1970-01-01T00:00:05Z"), std::nullopt); // the session is of that second
  EXPECT_EQ(put(session()), std::nullopt);
  EXPECT_EQ(revoke("1970-01-01T00:00:06Z"), std::nullopt);
  EXPECT_EQ(put(session()), errc::access_denied);
}

TEST_F(roles, have_sessions_whose_tags_take_the_place_of_the_roles) {
  auto tagged = about(action::iam_tag_role);
  tagged.tags = {{"team", "red"}, {"stage", "live"}};
  EXPECT_EQ(refused(tagged), std::nullopt);
  const auto allow = [this](std::string_view key, std::string_view value) {
    return put_policy("Allow", R"(,"Condition":{"StringEquals":{"aws:PrincipalTag/)" + std::string{key} + "\":\"" +
                                   std::string{value} + "\"}}");
  };
  const auto with = [](session_tags tags) {
    auto made = session();
    made.tags = std::move(tags);
    return made;
  };
  EXPECT_EQ(allow("team", "blue"), std::nullopt);
  EXPECT_EQ(put(session()), errc::access_denied);
  EXPECT_EQ(put(with({{"team", "blue"}})), std::nullopt);
  EXPECT_EQ(put(with({{"TEAM", "blue"}})), std::nullopt);
  EXPECT_EQ(put(with({{"stage", "blue"}})), errc::access_denied);
  EXPECT_EQ(allow("stage", "live"), std::nullopt);
  EXPECT_EQ(put(with({{"team", "blue"}})), std::nullopt) << "its own stay";
  EXPECT_EQ(put(with({{"Stage", "test"}})), errc::access_denied);
}

TEST_F(roles, let_in_with_tags_whom_their_trust_policy_lets_tag_the_session) {
  const auto refused_by = [](std::string_view actions, bool with_tags) {
    role_row row{.who = {.name = "backup", .id = "AROA1"}};
    row.trust = R"({"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam:::user/ann",)"
                R"("Federated":"arn:aws:iam:::oidc-provider/a.b"},"Action":)" +
                std::string{actions} + "}}";
    auto ann = std::make_shared<identity>();
    ann->user = {.name = "ann", .id = "AIDA1"};
    const access_key_row key{.id = "AKIA1", .secret = "s", .user = "ann", .of_user = ann};
    policy::context with;
    const bool web = assumption_refused(row, "a.b", with, with_tags).has_value();
    with.kind = policy::sender::key;
    const bool user = assumption_refused(row, key, with, with_tags).has_value();
    EXPECT_EQ(web, user);
    return user;
  };
  constexpr auto plain = R"(["sts:AssumeRole","sts:AssumeRoleWithWebIdentity"])",
                 tagging = R"(["sts:AssumeRole*","sts:TagSession"])", only = R"("sts:TagSession")";
  EXPECT_FALSE(refused_by(plain, false));
  EXPECT_TRUE(refused_by(plain, true));
  EXPECT_FALSE(refused_by(tagging, true));
  EXPECT_FALSE(refused_by(tagging, false));
  EXPECT_TRUE(refused_by(only, true));
}

TEST_F(roles, tell_up_to_which_level_tokens_may_be) {
  identity_query query;
  query.kind = identity_kind::token_key_list;
  EXPECT_EQ(read()->identities(query).value().level, feature_level) << "a standalone node";
  run(raise_feature_level{15});
  EXPECT_EQ(read()->identities(query).value().level, 15);
  query.kind = identity_kind::role;
  query.name = "backup";
  EXPECT_EQ(read()->identities(query).value().level, 15);
}

TEST_F(roles, and_users_keep_their_sessions_apart_from_a_later_identity_of_the_same_name) {
  const auto about_ann = [this](action what, const std::string& other = {}, std::string text = {}) {
    auto c = about(what, other, std::move(text));
    c.name = "ann";
    return c;
  };
  const auto make_ann = [&](const std::string& id) {
    auto c = about_ann(action::iam_create_user);
    c.id = id;
    EXPECT_EQ(refused(c), std::nullopt);
    EXPECT_EQ(refused(about_ann(action::iam_put_user_policy, "own", statement_of("Allow"))), std::nullopt);
  };
  const sts_session of_ann{false, "ann", "AIDA1", "", 5000, 900'000, {}};
  EXPECT_EQ(put(of_ann), errc::no_such_access_key);
  make_ann("AIDA1");
  EXPECT_EQ(put(of_ann), std::nullopt);
  EXPECT_EQ(put(of_ann, 900'000), errc::no_such_access_key);
  EXPECT_EQ(refused(about_ann(action::iam_delete_user_policy, "own")), std::nullopt);
  EXPECT_EQ(put(of_ann), errc::access_denied);
  EXPECT_EQ(refused(about_ann(action::iam_delete_user)), std::nullopt);
  EXPECT_EQ(put(of_ann), errc::no_such_access_key);
  make_ann("AIDA2");
  EXPECT_EQ(put(of_ann), errc::no_such_access_key) << "another user of this name";
}

TEST_F(roles, open_tokens_with_keys_of_the_metadata) {
  EXPECT_EQ(read()->temporary_key("ASIA1", "token", nullptr).error(), errc::no_such_access_key);
  EXPECT_EQ(refused(renew_token_key{.stamp = stamp(), .now = 1, .key = "short"}), errc::invalid_argument);
  EXPECT_EQ(refused(renew_token_key{.stamp = stamp(), .now = 1, .key = std::string(32, 'k')}), std::nullopt);
  EXPECT_EQ(refused(renew_token_key{.stamp = stamp(), .now = 2, .key = std::string(32, 'l')}), std::nullopt);
  identity_query query;
  query.kind = identity_kind::token_key_list;
  const auto keys = read()->identities(query).value().sealing;
  ASSERT_EQ(keys, (token_keys{{std::string(32, 'k'), 1}}));
  const auto token =
      seal_token(keys.back(), nullptr, "ASIA1", {"secret", session()}, std::array<std::byte, token_nonce_bytes>{})
          .value();
  const auto key = read()->temporary_key("ASIA1", token, nullptr).value();
  EXPECT_EQ(key.secret, "secret");
  EXPECT_EQ(key.user, "backup/nightly");
  EXPECT_EQ(*key.of_user->session, session());
  EXPECT_EQ(read()->temporary_key("ASIA2", token, nullptr).error(), errc::no_such_access_key);
  EXPECT_EQ(refused(about(action::iam_delete_role)), std::nullopt);
  EXPECT_EQ(read()->temporary_key("ASIA1", token, nullptr).error(), errc::no_such_access_key);
}

} // namespace cairn::storage::metadata::roles_test
