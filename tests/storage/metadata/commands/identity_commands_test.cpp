// The command about identities, and commands that a user's policies allow: their encodings and feature level.
#include "storage/metadata/commands/commands.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata::identity_commands_test {
authority by_user() {
  return {.by = allowed_by::identity, .key = "AKIA1", .asked = std::make_shared<const asked_access>()};
}

TEST(identity_commands, are_of_level_13_and_come_back_as_they_were_encoded) {
  change_identity made{.stamp = {.session = 1, .sequence = 2}, .what = policy::action::iam_create_user, .now = 3};
  made.name = "ann";
  made.other = "other";
  made.id = "AIDA1";
  made.path = "/team/";
  made.text = "text";
  made.description = "description";
  made.version = 300;
  made.on = true;
  made.tags = {{"k", "v"}};
  made.by = by_user();
  EXPECT_EQ(level_of(made), 13);
  const auto bytes = encode(made);
  const auto again = std::get<change_identity>(decode_command(bytes).value());
  EXPECT_EQ(encode(again), bytes);
  EXPECT_EQ(again.stamp.sequence, 2u);
  EXPECT_EQ(again.what, made.what);
  EXPECT_EQ(again.name + again.other + again.id + again.path + again.text + again.description,
            "annotherAIDA1/team/textdescription");
  EXPECT_EQ(again.version, 300u);
  EXPECT_TRUE(again.on);
  EXPECT_EQ(again.tags, made.tags);
  EXPECT_EQ(again.by, made.by);
}

TEST(identity_commands, hold_actions_that_change_something) {
  change_identity c{.what = policy::action::iam_get_user, .name = "ann"};
  EXPECT_EQ(decode_command(encode(c)).error(), errc::corrupt);
  c.what = policy::action::iam_simulate_principal_policy;
  EXPECT_EQ(decode_command(encode(c)).error(), errc::corrupt);
  c.what = policy::action::get_object;
  EXPECT_EQ(decode_command(encode(c)).error(), errc::corrupt);
  c.what = policy::action::iam_detach_user_policy;
  EXPECT_TRUE(decode_command(encode(c)));
}

TEST(identity_commands, about_roles_and_sessions_are_of_level_14) {
  const auto put = [](std::string_view actions) {
    change_identity c{.what = policy::action::iam_put_user_policy, .name = "ann", .other = "p"};
    c.text = R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":)" + std::string{actions} +
             R"(,"Resource":"*"}})";
    EXPECT_EQ(encode(std::get<change_identity>(decode_command(encode(c)).value())), encode(c));
    return level_of(c);
  };
  EXPECT_EQ(put(R"("s3:*")"), 13);
  EXPECT_EQ(put(R"(["iam:*","*"])"), 13) << "earlier builds know some of what it fits";
  EXPECT_EQ(put(R"("sts:AssumeRole")"), 14);
  EXPECT_EQ(put(R"(["s3:*","iam:*Role"])"), 14);
  EXPECT_EQ(level_of(change_identity{.what = policy::action::iam_create_role, .name = "r"}), 14);
  EXPECT_EQ(level_of(renew_token_key{}), 14);

  put_object sent{.stamp = {.session = 1, .sequence = 2}, .bucket = "b", .key = "k", .content = std::string{}};
  sent.by = by_user();
  sent.by.session = std::make_shared<const sts_session>(
      sts_session{true, "backup", "AROA1", "nightly", 5, 900'005, R"({"Statement":[]})"});
  EXPECT_EQ(level_of(sent), 14);
  EXPECT_EQ(std::get<put_object>(decode_command(encode(sent)).value()).by, sent.by);
}

TEST(identity_commands, about_web_identities_are_of_level_15) {
  const auto put = [](policy::action what, std::string text) {
    const change_identity c{.what = what, .name = "r", .other = "p", .text = std::move(text), .version = 3600};
    EXPECT_EQ(encode(std::get<change_identity>(decode_command(encode(c)).value())), encode(c));
    return level_of(c);
  };
  const auto trust = [&put](std::string_view more) {
    const auto text = R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",)" + std::string{more} + "}}";
    EXPECT_EQ(put(policy::action::iam_create_role, text), put(policy::action::iam_update_assume_role_policy, text));
    return put(policy::action::iam_create_role, text);
  };
  EXPECT_EQ(trust(R"("Action":"sts:AssumeRole","Principal":"*")"), 14);
  EXPECT_EQ(trust(R"("Action":"sts:*","Principal":{"AWS":"*"})"), 14);
  EXPECT_EQ(trust(R"("Action":"sts:AssumeRole*","Principal":{"Federated":"arn:aws:iam:::oidc-provider/a.b"})"), 15);
  EXPECT_EQ(trust(R"("Action":"sts:AssumeRoleWithWebIdentity","Principal":"*")"), 15);
  EXPECT_EQ(trust(R"("Action":"sts:*","Principal":"*","Condition":{"Null":{"a.b:sub":"true"}})"), 15);
  const auto of_user = [&put](std::string_view action) {
    return put(policy::action::iam_put_user_policy,
               R"({"Statement":{"Effect":"Allow","Resource":"*","Action":)" + std::string{action} + "}}");
  };
  EXPECT_EQ(of_user(R"("sts:AssumeRole*")"), 14);
  EXPECT_EQ(of_user(R"(["s3:*","sts:AssumeRoleWithWeb*"])"), 15);

  change_identity by_session{.what = policy::action::iam_create_role, .name = "r"};
  by_session.text = R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":"*"}})";
  by_session.by = by_user();
  by_session.by.session =
      std::make_shared<const sts_session>(sts_session{true, "ops", "AROA1", "nightly", 5, 900'005, {}});
  EXPECT_EQ(level_of(by_session), 15);
  EXPECT_EQ(std::get<change_identity>(decode_command(encode(by_session)).value()).by, by_session.by);
}

TEST(identity_commands, about_tags_of_sessions_are_of_level_16) {
  const auto trust = [](std::string_view more) {
    change_identity c{.what = policy::action::iam_create_role, .name = "r"};
    c.text = R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*",)" + std::string{more} + "}}";
    EXPECT_EQ(encode(std::get<change_identity>(decode_command(encode(c)).value())), encode(c));
    return level_of(c);
  };
  EXPECT_EQ(trust(R"("Action":"sts:*")"), 14);
  EXPECT_EQ(trust(R"("Action":["sts:AssumeRole","sts:TagSession"])"), 16);
  for (const auto* key : {"aws:RequestTag/team", "aws:TagKeys", "sts:TransitiveTagKeys"})
    EXPECT_EQ(trust(R"("Action":"sts:*","Condition":{"StringLike":{")" + std::string{key} + R"(":"x"}})"), 16) << key;
  change_identity put{.what = policy::action::iam_put_user_policy, .name = "ann", .other = "p"};
  put.text = R"({"Statement":{"Effect":"Allow","Action":"sts:Tag*","Resource":"*"}})";
  EXPECT_EQ(level_of(put), 16);

  put_object sent{.stamp = {.session = 1, .sequence = 2}, .bucket = "b", .key = "k", .content = std::string{}};
  sent.by = by_user();
  const auto session = [](session_tags tags) {
    sts_session s{true, "backup", "AROA1", "nightly", 5, 900'005, {}};
    s.tags = std::move(tags);
    return std::make_shared<const sts_session>(std::move(s));
  };
  sent.by.session = session({});
  EXPECT_EQ(level_of(sent), 14);
  sent.by.session = session({{"team", "blue", true}});
  EXPECT_EQ(level_of(sent), 16);
  EXPECT_EQ(std::get<put_object>(decode_command(encode(sent)).value()).by, sent.by);
  put.by = sent.by;
  put.by.session = session({});
  EXPECT_EQ(level_of(put), 16);
  EXPECT_EQ(std::get<change_identity>(decode_command(encode(put)).value()).by, put.by) << "no tags, in their form";
}

TEST(identity_commands, about_identity_providers_are_of_level_16_and_have_their_lists) {
  change_identity c{.what = policy::action::iam_create_open_id_connect_provider, .now = 3, .name = "a.b/c"};
  c.client_ids = {"cairn", "x"};
  c.thumbprints = {std::string(40, 'a')};
  c.tags = {{"k", "v"}};
  EXPECT_EQ(level_of(c), 16);
  const auto again = std::get<change_identity>(decode_command(encode(c)).value());
  EXPECT_EQ(again.client_ids, c.client_ids);
  EXPECT_EQ(again.thumbprints, c.thumbprints);
  EXPECT_EQ(again.tags, c.tags);
  EXPECT_EQ(encode(again), encode(c));
  change_identity put{.what = policy::action::iam_put_user_policy, .name = "ann", .other = "p"};
  put.text = R"({"Statement":{"Effect":"Allow","Action":"iam:*OpenIDConnect*","Resource":"*"}})";
  EXPECT_EQ(level_of(put), 16);
  put.text = R"({"Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}})";
  EXPECT_EQ(level_of(put), 13);
  put.client_ids = {"of no provider"};
  EXPECT_TRUE(std::get<change_identity>(decode_command(encode(put)).value()).client_ids.empty());
}

TEST(identity_commands, raise_the_level_of_a_command_that_a_user_sends) {
  put_object put{.stamp = {.session = 1, .sequence = 2}, .bucket = "b", .key = "k", .content = std::string{}};
  put.by = by_user();
  EXPECT_EQ(level_of(put), 13);
  EXPECT_EQ(std::get<put_object>(decode_command(encode(put)).value()).by, put.by);
  put.by.by = allowed_by::policy; // the bucket's
  EXPECT_EQ(level_of(put), 9);
}

} // namespace cairn::storage::metadata::identity_commands_test
