#include "base/secrets/sealing.hpp"

#include "base/codec.hpp"

#include <gtest/gtest.h>

namespace cairn::secrets::sealing_test {
template <std::size_t Count>
std::array<std::byte, Count> ascending(unsigned first = 0) {
  std::array<std::byte, Count> bytes{};
  for (auto& b : bytes) b = static_cast<std::byte>(first++);
  return bytes;
}

const sealing_key key{ascending<key_bytes>()};

std::string sealed(std::string_view plain, std::string_view bound_to) {
  return seal(key, plain, bound_to, ascending<nonce_bytes>());
}

// The ciphertext and the tag are those of another implementation (pyca/cryptography's AESGCM).
TEST(sealing, makes_the_known_text) {
  EXPECT_EQ(key.id(), "630dcd29");
  const auto text = sealed("secret", "CK1");
  EXPECT_EQ(hex_of(std::string_view{text}), "01"
                                            "630dcd29"
                                            "000102030405060708090a0b"
                                            "3467b569a0914edda2bc3fdd1fedef45d0702254d6cc");
  EXPECT_EQ(text.size(), 6 + sealing_overhead_bytes);
  EXPECT_EQ(key_id_of(text), "630dcd29");
}

TEST(sealing, is_opened_by_its_key_where_it_belongs) {
  for (const auto& plain : {std::string{}, std::string{"s"}, std::string(256, 'x'), std::string("\0\n\xff", 3)}) {
    const auto text = sealed(plain, "CK1");
    EXPECT_EQ(open(key, text, "CK1").value(), plain);
    EXPECT_EQ(open(key, text, "CK2").error(), errc::corrupt);
    EXPECT_EQ(open(key, text, "").error(), errc::corrupt);
    EXPECT_EQ(open(sealing_key{ascending<key_bytes>(1)}, text, "CK1").error(), errc::not_found);
  }
}

TEST(sealing, of_which_a_bit_was_changed_is_refused) {
  const auto text = sealed("a secret", "CK1");
  for (std::size_t i = 0; i < text.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = text;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_FALSE(open(key, changed, "CK1")) << i;
    }
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_EQ(open(key, text.substr(0, length), "CK1").error(), errc::corrupt) << length;
  EXPECT_EQ(open(key, text + "x", "CK1").error(), errc::corrupt);
}

TEST(sealing_key, is_read_from_hexadecimal_digits_or_base64) {
  const std::string digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F";
  EXPECT_EQ(sealing_key::read(digits).value().id(), key.id());
  EXPECT_EQ(sealing_key::read("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").value().id(), key.id());
  for (const auto& bad : {std::string{}, digits.substr(1), digits + "0", "g" + digits.substr(1), digits.substr(0, 32),
                          std::string{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"},
                          std::string{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"},
                          std::string{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd=h8="},
                          std::string{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd h8="}}) {
    const auto read = sealing_key::read(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error(), errc::invalid_argument);
    if (!bad.empty()) {
      EXPECT_EQ(read.error().text.find(bad), std::string::npos) << "keys are not shown";
    }
  }
}

} // namespace cairn::secrets::sealing_test
