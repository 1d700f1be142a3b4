#include "net/wire/grammar/base64.hpp"

#include <gtest/gtest.h>

namespace cairn::net::base64_test {

TEST(base64, reads_the_examples_of_the_rfc) {
  EXPECT_EQ(base64_decode(""), "");
  EXPECT_EQ(base64_decode("Zg=="), "f");
  EXPECT_EQ(base64_decode("Zm8="), "fo");
  EXPECT_EQ(base64_decode("Zm9v"), "foo");
  EXPECT_EQ(base64_decode("Zm9vYmE="), "fooba");
}

TEST(base64, reads_back_every_byte_in_the_url_alphabet) {
  std::string bytes;
  for (int c = 0; c < 256; ++c) {
    bytes.push_back(static_cast<char>(c));
    const auto text = base64url_encode(bytes);
    EXPECT_EQ(text.find_first_of("+/="), text.npos);
    EXPECT_EQ(base64_decode(text), bytes);
  }
}

TEST(base64, refuses_what_no_encoder_writes) {
  for (const auto* bad :
       {"Z", "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zg==Zg==", "\xff\xff\xff\xff"}) {
    EXPECT_FALSE(base64_decode(bad)) << bad;
  }
}

TEST(base64, of_urls_has_one_form) {
  EXPECT_EQ(base64url_decode("_-8"), base64_decode("/+8="));
  EXPECT_EQ(base64url_decode(""), "");
  for (const auto* text : {"/-8", "_+8", "_-8=", "_-9", "_", "a b"}) EXPECT_FALSE(base64url_decode(text)) << text;
}

} // namespace cairn::net::base64_test
