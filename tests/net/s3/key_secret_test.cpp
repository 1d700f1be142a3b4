#include "net/s3/key_secret.hpp"

#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

namespace cairn::net::key_secret_test {
using row = storage::metadata::access_key_row;

const auto keys = secrets::key_ring::read(std::string(64, 'a')).value();
const auto others = secrets::key_ring::read(std::string(64, 'b')).value();

TEST(key_secret, is_stored_sealed_if_the_node_has_a_key) {
  seeded_random random{1};
  const auto clear = secret_to_store("secret", "CK1", nullptr, random);
  EXPECT_EQ(clear.text, "secret");
  EXPECT_FALSE(clear.sealed);
  const auto sealed = secret_to_store("secret", "CK1", &keys, random);
  EXPECT_TRUE(sealed.sealed);
  EXPECT_TRUE(storage::metadata::valid_secret(sealed.text, true));
  EXPECT_EQ(sealed.text.find("secret"), std::string::npos);
  EXPECT_EQ(clear_secret(row{.id = "CK1", .secret = sealed.text, .sealed = true}, &keys).value(), "secret");
}

TEST(key_secret, in_clear_needs_no_key) {
  EXPECT_EQ(clear_secret(row{.id = "CK1", .secret = "secret"}, nullptr).value(), "secret");
  EXPECT_EQ(clear_secret(row{.id = "CK1", .secret = "secret"}, &keys).value(), "secret");
}

TEST(key_secret, that_cannot_be_opened_is_a_fault_of_the_node) {
  seeded_random random{1};
  const row sealed{.id = "CK1", .secret = keys.seal("secret", "CK1", random), .sealed = true};
  for (const auto* none : {static_cast<const secrets::key_ring*>(nullptr), &others}) {
    const auto refused = clear_secret(sealed, none);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), errc::secret_sealed);
    EXPECT_NE(refused.error().text.find(keys.id()), std::string::npos) << "the log says which key is missing";
  }
  auto moved = sealed;
  moved.id = "CK2";
  EXPECT_EQ(clear_secret(moved, &keys).error(), errc::secret_sealed) << "a secret of another key's row";
}

} // namespace cairn::net::key_secret_test
