#include "config/address_prefix.hpp"

#include <gtest/gtest.h>

namespace cairn::config::address_prefix_test {

bool holds(const char* prefix, const char* address) {
  return parse_address_prefix(prefix).value().contains(parse_address_bytes(address).value());
}

TEST(address_prefix, contains_the_addresses_that_begin_with_its_bits) {
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(holds("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(holds("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(holds("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(holds("192.0.2.7", "::ffff:192.0.2.7"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(address_prefix, keeps_the_families_apart) {
  EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(holds("::/0", "2001:db8::1"));
  EXPECT_FALSE(holds("::/0", "203.0.113.9"));
}

TEST(address_prefix, is_the_same_whatever_follows_its_bits) {
  EXPECT_EQ(parse_address_prefix("10.1.2.3/8"), parse_address_prefix("10.0.0.0/8"));
  EXPECT_EQ(parse_address_prefix("192.0.2.7"), parse_address_prefix("192.0.2.7/32"));
  EXPECT_EQ(parse_address_prefix("::ffff:192.0.2.7/128"), parse_address_prefix("192.0.2.7/32"));
  EXPECT_NE(parse_address_prefix("10.0.0.0/8"), parse_address_prefix("10.0.0.0/9"));
}

TEST(address_prefix, refuses_what_is_none_and_parts_of_a_client_of_version_6) {
  for (const auto* bad : {"", "/", "*", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0", "a.example",
                          "10.0.0.0/8/8", "2001:db8::1", "2001:db8::/65", "2001:db8::/129", "::ffff:10.0.0.0/95"})
    EXPECT_FALSE(parse_address_prefix(bad)) << bad;
  EXPECT_FALSE(parse_address_prefix(std::string_view{"10.0.0.1\0", 9}));
}

TEST(party_of, is_an_address_of_version_4_or_the_64_of_version_6) {
  const auto party = [](const char* text) { return party_of(parse_address_bytes(text).value()); };
  EXPECT_EQ(party("192.0.2.7"), parse_address_bytes("::ffff:192.0.2.7"));
  EXPECT_EQ(party("2001:db8:1:2:3:4:5:6"), parse_address_bytes("2001:db8:1:2::"));
  EXPECT_EQ(party("::1"), parse_address_bytes("::1"));
}

} // namespace cairn::config::address_prefix_test
