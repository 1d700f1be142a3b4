#include "net/wire/account_book.hpp"

#include <gtest/gtest.h>

namespace cairn::net {

TEST(account_book, names_parties_by_address_and_by_half_of_an_ipv6_address) {
  const auto of = [](const char* text) { return party_of(boost::asio::ip::make_address(text)); };
  EXPECT_EQ(of("192.0.2.1"), "ip:192.0.2.1");
  EXPECT_EQ(of("::ffff:192.0.2.1"), "ip:192.0.2.1");
  EXPECT_EQ(of("2001:db8:1:2:3:4:5:6"), "ip:2001:db8:1:2::");
  EXPECT_EQ(of("2001:db8:1:2::9"), of("2001:db8:1:2:ffff::1"));
  EXPECT_NE(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
  EXPECT_EQ(of("::1"), "ip:::1");
}

TEST(account_book, gives_a_party_the_same_account_while_it_is_used) {
  account_book book;
  const auto first = book.of("key:a");
  EXPECT_EQ(book.of("key:a"), first);
  EXPECT_NE(book.of("key:b"), first);
}

TEST(account_book, forgets_parties_that_are_gone) {
  account_book book;
  for (int i = 0; i < 10'000; ++i) book.of("ip:" + std::to_string(i));
  EXPECT_LE(book.size(), 130u);
}

} // namespace cairn::net
