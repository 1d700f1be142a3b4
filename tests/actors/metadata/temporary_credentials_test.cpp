// Temporary credentials in requests of a standalone node: nothing is stored about them but the keys that seal tokens.
#include "storage/metadata/commands/sts_session.hpp"
#include "tests/actors/metadata/metadata_fixture.hpp"

#include <array>

namespace cairn::actors::temporary_credentials_test {

namespace policy = storage::policy;

class temporary_credentials : public standalone_metadata {
protected:
  void SetUp() override {
    start();
    auto role = about_role(policy::action::iam_create_role);
    role.id = "AROA1";
    role.version = 3600;
    role.text = R"({"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}})";
    commit(role);
    auto allows = about_role(policy::action::iam_put_role_policy);
    allows.other = "own";
    allows.text = R"({"Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}})";
    commit(allows);
    commit(meta::renew_token_key{.stamp = {}, .now = wall(), .key = key.bytes});
  }
  wall_ms wall() const { return w.clock().wall(); }
  static meta::change_identity about_role(policy::action what) {
    meta::change_identity c;
    c.what = what;
    c.name = "backup";
    return c;
  }
  static meta::sts_session session_until(wall_ms expires) {
    return {true, "backup", "AROA1", "nightly", 0, expires, {}};
  }
  result<found_access> access(const std::string& access_key, const std::string& token) {
    access_query query;
    query.key = access_key;
    query.token = token;
    return try_to_ask<found_access>(access_atom_v, query);
  }

  const meta::token_key key{std::string(meta::token_key_bytes, 'k'), 0};
};

TEST_F(temporary_credentials, are_valid_only_with_the_access_key_that_the_token_names_also_when_cached) {
  const auto token = meta::seal_token(key, nullptr, "ASIA1", {"secret", session_until(wall() + 3'600'000)},
                                      std::array<std::byte, meta::token_nonce_bytes>{})
                         .value();
  for (int round = 0; round < 2; ++round) {
    const auto own = access("ASIA1", token);
    ASSERT_TRUE(own && own->key) << round;
    EXPECT_EQ(own->key->secret, "secret");
    const auto other = access("ASIA2", token);
    ASSERT_TRUE(other) << round;
    EXPECT_FALSE(other->key) << round;
  }
}

TEST_F(temporary_credentials, that_expire_while_a_body_arrives_commit_nothing) {
  const auto expires = wall() + 60'000;
  meta::put_object put;
  put.bucket = "bucket";
  put.key = "key";
  put.size = 5;
  put.content = std::string{"bytes"};
  meta::asked_access asked{.actions = {policy::action::put_object}};
  asked.with.kind = policy::sender::key;
  asked.with.time = wall(); // when the head came
  put.by = {meta::allowed_by::identity, "ASIA1", 0, 0, 0, std::make_shared<const meta::asked_access>(asked)};
  put.by.session = std::make_shared<const meta::sts_session>(session_until(expires));
  EXPECT_EQ(refused(put), std::nullopt);
  w.run_for(61s);
  ASSERT_GE(wall(), expires);
  put.key = "late";
  EXPECT_EQ(refused(put), errc::access_denied);
  EXPECT_FALSE(store->read().value()->object("bucket", "late"));
}

} // namespace cairn::actors::temporary_credentials_test
