// Tokens of temporary credentials, and the keys that seal them.
#include "storage/metadata/commands/sts_session.hpp"

#include <gtest/gtest.h>

#include <array>

namespace cairn::storage::metadata {
namespace {

constexpr std::array<std::byte, token_nonce_bytes> nonce{std::byte{7}};
constexpr wall_ms day = 24 * 3600 * 1000;

token_key key_of(char c, wall_ms created = 0) {
  return {std::string(token_key_bytes, c), created};
}

opened_token contents() {
  return {"the-secret", {true, "backup", "AROA1", "nightly", 1000, 901'000, R"({"Version":"2012-10-17"})"}};
}

TEST(session_tokens, open_with_the_keys_and_the_access_key_they_were_sealed_for) {
  const auto token = seal_token(key_of('k'), "ASIA1", contents(), nonce);
  EXPECT_EQ(open_token({key_of('a'), key_of('k')}, "ASIA1", token).value(), contents());
  EXPECT_EQ(open_token({key_of('k')}, "ASIA2", token).error(), errc::access_denied);
  EXPECT_EQ(open_token({key_of('o')}, "ASIA1", token).error(), errc::access_denied) << "another cluster's key";
  EXPECT_EQ(open_token({}, "ASIA1", token).error(), errc::access_denied);
}

TEST(session_tokens, of_which_any_byte_was_changed_do_not_open) {
  const auto token = seal_token(key_of('k'), "ASIA1", contents(), nonce);
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    EXPECT_FALSE(open_token({key_of('k')}, "ASIA1", changed)) << i;
    EXPECT_FALSE(open_token({key_of('k')}, "ASIA1", token.substr(0, i))) << i;
  }
  EXPECT_FALSE(open_token({key_of('k')}, "ASIA1", token + "x"));
}

TEST(session_tokens, of_the_longest_session_policy_are_within_the_bound) {
  auto most = contents();
  most.session.name = std::string(64, 'r');
  most.session.session = std::string(session_name_bytes_max, 's');
  most.session.policy = std::string(session_policy_bytes_max, 'p');
  const auto token = seal_token(key_of('k'), "ASIA1", most, nonce);
  EXPECT_LE(token.size(), token_bytes_max);
  EXPECT_EQ(open_token({key_of('k')}, "ASIA1", token).value(), most);
  most.session.policy += 'p';
  EXPECT_FALSE(open_token({key_of('k')}, "ASIA1", seal_token(key_of('k'), "ASIA1", most, nonce)));
}

TEST(token_keys, are_renewed_after_30_days_and_kept_until_their_tokens_have_expired) {
  token_keys keys;
  EXPECT_TRUE(wants_token_key(keys, 0));
  EXPECT_TRUE(add_token_key(keys, key_of('a').bytes, 0));
  EXPECT_FALSE(add_token_key(keys, key_of('b').bytes, 30 * day - 1)) << "two nodes made one at the same time";
  EXPECT_EQ(keys, (token_keys{key_of('a', 0)}));
  EXPECT_TRUE(add_token_key(keys, key_of('b').bytes, 30 * day));
  EXPECT_EQ(keys.size(), 2u) << "tokens of the first key may hold still";
  EXPECT_TRUE(add_token_key(keys, key_of('c').bytes, 60 * day));
  EXPECT_EQ(keys, (token_keys{key_of('b', 30 * day), key_of('c', 60 * day)}));
  EXPECT_EQ(decode_token_keys(encode(keys)).value(), keys);
  EXPECT_EQ(decode_token_keys(encode(token_keys{{"short", 0}})).error(), errc::corrupt);
}

} // namespace
} // namespace cairn::storage::metadata
