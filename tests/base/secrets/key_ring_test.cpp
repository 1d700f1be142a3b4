#include "base/secrets/key_ring.hpp"

#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

namespace cairn::secrets::key_ring_test {
const std::string first(64, 'a'), second(64, 'b');

TEST(key_ring, seals_with_its_first_key_and_opens_with_all) {
  seeded_random random{1};
  const auto before = key_ring::read(first).value();
  const auto rotated = key_ring::read("# since 2026\n" + second + "\r\n\n  " + first + "\n").value();
  EXPECT_NE(before.id(), rotated.id());
  EXPECT_TRUE(rotated.has(before.id()));
  const auto old_text = before.seal("secret", "CK1", random), text = rotated.seal("secret", "CK1", random);
  EXPECT_EQ(key_id_of(text), rotated.id());
  EXPECT_EQ(rotated.open(old_text, "CK1").value(), "secret");
  EXPECT_EQ(rotated.open(text, "CK1").value(), "secret");
  EXPECT_EQ(before.open(text, "CK1").error(), errc::not_found);
  EXPECT_NE(before.open(text, "CK1").error().text.find(rotated.id()), std::string::npos) << "which key is missing";
  EXPECT_EQ(before.open("", "CK1").error(), errc::corrupt);
}

TEST(key_ring, never_seals_twice_alike) {
  seeded_random random{1};
  const auto ring = key_ring::read(first).value();
  EXPECT_NE(ring.seal("secret", "CK1", random), ring.seal("secret", "CK1", random));
}

TEST(key_ring, is_not_read_from_other_texts) {
  for (const auto* none : {"", "\n", "# a comment\n"}) EXPECT_EQ(key_ring::read(none).error(), errc::invalid_argument);
  const auto bad = key_ring::read(first + "\nnot a key\n");
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().text.find("line 2"), std::string::npos);
  std::string many;
  for (std::size_t i = 0; i <= key_ring::keys_max; ++i) many += std::string(62, '0') + std::to_string(10 + i) + "\n";
  EXPECT_EQ(key_ring::read(many).error(), errc::invalid_argument);
}

} // namespace cairn::secrets::key_ring_test
