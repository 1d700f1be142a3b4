// Tokens of temporary credentials, and the keys that seal them.
#include "storage/metadata/commands/sts_session.hpp"

#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

#include <array>

namespace cairn::storage::metadata::sts_session_test {
constexpr std::array<std::byte, token_nonce_bytes> nonce{std::byte{7}};
constexpr wall_ms day = 24 * 3600 * 1000;

token_key key_of(char c, wall_ms created = 0) {
  return {std::string(token_key_bytes, c), created};
}

opened_token contents() {
  return {"the-secret", {true, "backup", "AROA1", "nightly", 1000, 901'000, R"({"Version":"2012-10-17"})"}};
}

std::string sealed(const opened_token& what) {
  return seal_token(key_of('k'), nullptr, "ASIA1", what, nonce).value();
}

const auto ring = secrets::key_ring::read(std::string(64, 'a')).value();
const auto later_ring = secrets::key_ring::read(std::string(64, 'b') + "\n" + std::string(64, 'a')).value();
const auto other_ring = secrets::key_ring::read(std::string(64, 'b')).value();

std::string stored_key(char c, const secrets::key_ring& with) {
  seeded_random random{7};
  return stored_token_key(std::string(token_key_bytes, c), &with, random);
}

TEST(session_tokens, open_with_the_keys_and_the_access_key_they_were_sealed_for) {
  const auto token = sealed(contents());
  EXPECT_EQ(open_token({key_of('a'), key_of('k')}, nullptr, "ASIA1", token).value(), contents());
  EXPECT_EQ(open_token({key_of('k')}, nullptr, "ASIA2", token).error(), errc::access_denied);
  EXPECT_EQ(open_token({key_of('o')}, nullptr, "ASIA1", token).error(), errc::access_denied) << "another cluster's key";
  EXPECT_EQ(open_token({}, nullptr, "ASIA1", token).error(), errc::access_denied);
}

TEST(session_tokens, of_which_any_byte_was_changed_do_not_open) {
  const auto token = sealed(contents());
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    EXPECT_FALSE(open_token({key_of('k')}, nullptr, "ASIA1", changed)) << i;
    EXPECT_FALSE(open_token({key_of('k')}, nullptr, "ASIA1", token.substr(0, i))) << i;
  }
  EXPECT_FALSE(open_token({key_of('k')}, nullptr, "ASIA1", token + "x"));
}

TEST(session_tokens, of_the_longest_session_policy_are_within_the_bound) {
  auto most = contents();
  most.session.name = std::string(64, 'r');
  most.session.session = std::string(session_name_bytes_max, 's');
  most.session.policy = std::string(session_policy_bytes_max, 'p');
  const auto token = sealed(most);
  EXPECT_LE(token.size(), token_bytes_max);
  EXPECT_EQ(open_token({key_of('k')}, nullptr, "ASIA1", token).value(), most);
  most.session.policy += 'p';
  EXPECT_FALSE(open_token({key_of('k')}, nullptr, "ASIA1", sealed(most)));
}

TEST(session_tokens, with_tags_have_a_version_of_their_own) {
  auto tagged = contents();
  tagged.session.tags = {{"team", "blue", true}, {"Größe", "", false}};
  const auto opens = [](std::string_view plain) {
    const secrets::sealing_key key{
        std::as_bytes(std::span{std::string_view{key_of('k').bytes}}).first<secrets::key_bytes>()};
    return open_token({key_of('k')}, nullptr, "ASIA1", secrets::seal(key, plain, "ASIA1", nonce)).has_value();
  };
  const auto plain = [](std::uint8_t version, const opened_token& what, bool with_tags) {
    byte_writer w{64};
    w.u8(version).string(what.secret);
    write_session(w, what.session, with_tags);
    return w.take();
  };
  EXPECT_EQ(open_token({key_of('k')}, nullptr, "ASIA1", sealed(tagged)).value(), tagged);
  EXPECT_TRUE(opens(plain(1, contents(), false)));
  EXPECT_TRUE(opens(plain(2, tagged, true)));
  EXPECT_FALSE(opens(plain(1, tagged, true))) << "which a build without tags would read";
  EXPECT_FALSE(opens(plain(2, contents(), true))) << "without tags";
  EXPECT_FALSE(opens(plain(2, tagged, false)));
  EXPECT_FALSE(opens(plain(3, tagged, true)));
}

TEST(session_tokens, have_tags_within_their_bounds) {
  const auto holds = [](session_tags tags, std::string session_policy = {}) {
    auto what = contents();
    what.session.policy = std::move(session_policy);
    what.session.tags = std::move(tags);
    const auto token = sealed(what);
    EXPECT_LE(token.size(), token_bytes_max);
    const auto opened = open_token({key_of('k')}, nullptr, "ASIA1", token);
    return opened && *opened == what;
  };
  session_tags most;
  for (std::size_t i = 0; i < session_tags_max; ++i) most.push_back({"k" + std::to_string(i), std::string(50, 'v')});
  EXPECT_TRUE(holds(most, std::string(session_policy_bytes_max, 'p')));
  most.push_back({"more", ""});
  EXPECT_FALSE(holds(most));
  EXPECT_FALSE(holds({{"team", "a"}, {"Team", "b"}}));
  EXPECT_TRUE(holds({{std::string(128, 'k'), std::string(256, 'v')}}));
  session_tags large;
  for (int i = 0; i < 20; ++i) large.push_back({"k" + std::to_string(i), std::string(256, 'v')});
  EXPECT_EQ(packed_bytes("", large), 20u * 256 + 10 * 2 + 10 * 3);
  EXPECT_FALSE(holds(large));
  large.pop_back();
  EXPECT_TRUE(holds(large));
}

TEST(session_tokens, of_users_have_no_tags) {
  auto of_user = contents();
  of_user.session.of_role = false;
  of_user.session.session.clear();
  EXPECT_TRUE(open_token({key_of('k')}, nullptr, "ASIA1", sealed(of_user)));
  of_user.session.tags = {{"team", "blue"}};
  EXPECT_FALSE(open_token({key_of('k')}, nullptr, "ASIA1", sealed(of_user)));
}

TEST(a_session_tag, has_the_characters_and_sizes_of_awss) {
  for (const auto* key : {"team", "a b", "_.:/=+-@", "Größe", "x-aws:y", "aws"})
    EXPECT_TRUE(valid_session_tag(key, "")) << key;
  for (const auto* key : {"", "aws:team", "AWS:team", "a,b", "a\nb", "a\x7f", "\xff", "a\"b"})
    EXPECT_FALSE(valid_session_tag(key, "v")) << key;
  EXPECT_FALSE(valid_session_tag("k", "a;b"));
  std::string umlauts;
  for (int i = 0; i < 128; ++i) umlauts += "ü";
  EXPECT_TRUE(valid_session_tag(umlauts, umlauts + umlauts)) << "characters, not bytes";
  EXPECT_FALSE(valid_session_tag(umlauts + "u", ""));
  EXPECT_FALSE(valid_session_tag("k", umlauts + umlauts + "u"));
}

TEST(a_session_tag, takes_the_place_of_the_roles_in_whatever_case) {
  policy::tag_pairs tags{{"team", "red"}, {"stage", "live"}};
  override_tags(tags, {{"Team", "blue"}, {"size", "1"}, {"stage", "test"}});
  EXPECT_EQ(tags, (policy::tag_pairs{{"team", "blue"}, {"stage", "test"}, {"Team", "blue"}, {"size", "1"}}));
}

TEST(token_keys, are_renewed_after_30_days_and_kept_until_their_tokens_have_expired) {
  token_keys keys;
  EXPECT_TRUE(wants_token_key(keys, nullptr, 0));
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

TEST(token_keys, may_be_sealed_themselves) {
  const token_key key{stored_key('k', ring), 0};
  EXPECT_EQ(key.bytes.find(std::string(token_key_bytes, 'k')), key.bytes.npos);
  EXPECT_EQ(decode_token_keys(encode(token_keys{key})).value(), token_keys{key});
  const auto token = seal_token(key, &ring, "ASIA1", contents(), nonce).value();
  EXPECT_EQ(open_token({key}, &later_ring, "ASIA1", token).value(), contents());
  for (const auto* none : {static_cast<const secrets::key_ring*>(nullptr), &other_ring}) {
    EXPECT_EQ(seal_token(key, none, "ASIA1", contents(), nonce).error(), errc::secret_sealed);
    EXPECT_EQ(open_token({key}, none, "ASIA1", token).error(), errc::secret_sealed) << "not a wrong token";
    EXPECT_EQ(open_token({key, key_of('k')}, none, "ASIA1", sealed(contents())).value(), contents());
  }
}

TEST(token_keys, are_replaced_when_they_are_in_clear_or_sealed_with_a_key_that_is_gone) {
  constexpr wall_ms soon = 10 * 60 * 1000;
  token_keys keys{key_of('a')};
  EXPECT_FALSE(wants_token_key(keys, &ring, soon - 1));
  EXPECT_TRUE(wants_token_key(keys, &ring, soon));
  EXPECT_FALSE(add_token_key(keys, key_of('b').bytes, soon)) << "in clear as the one that is there";
  EXPECT_FALSE(add_token_key(keys, stored_key('b', ring), soon - 1));
  EXPECT_TRUE(add_token_key(keys, stored_key('b', ring), soon));
  EXPECT_FALSE(wants_token_key(keys, &ring, 3 * soon));
  EXPECT_FALSE(wants_token_key(keys, &later_ring, 3 * soon)) << "which opens it";
  EXPECT_FALSE(wants_token_key(keys, nullptr, 3 * soon)) << "nor is a sealed one replaced by one in clear";
  EXPECT_TRUE(wants_token_key(keys, &other_ring, 3 * soon));
  EXPECT_TRUE(add_token_key(keys, stored_key('c', other_ring), 3 * soon));
  EXPECT_EQ(keys.size(), 3u);
}

TEST(token_keys, are_bounded_however_often_the_sealing_key_changes) {
  constexpr wall_ms soon = 10 * 60 * 1000;
  token_keys keys;
  for (int i = 0; i < 3 * static_cast<int>(token_keys_max); ++i) {
    const auto bytes = stored_key(static_cast<char>('a' + i), i % 2 == 0 ? ring : other_ring);
    ASSERT_TRUE(add_token_key(keys, bytes, i * soon)) << i;
    EXPECT_EQ(keys.back().bytes, bytes) << "the newest one stays";
    ASSERT_EQ(decode_token_keys(encode(keys)).value(), keys) << i;
  }
  EXPECT_EQ(keys.size(), token_keys_max);
}

} // namespace cairn::storage::metadata::sts_session_test
