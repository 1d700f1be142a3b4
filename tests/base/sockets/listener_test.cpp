#include "base/sockets/listener.hpp"

#include <gtest/gtest.h>

namespace cairn::sockets::listener_test {

TEST(listener, names_clients_by_address_and_by_half_of_an_ipv6_address) {
  const auto of = [](const char* text) { return party_of(boost::asio::ip::make_address(text)); };
  EXPECT_EQ(of("192.0.2.1"), "ip:192.0.2.1");
  EXPECT_EQ(of("::ffff:192.0.2.1"), "ip:192.0.2.1");
  EXPECT_EQ(of("2001:db8:1:2:3:4:5:6"), "ip:2001:db8:1:2::");
  EXPECT_EQ(of("2001:db8:1:2::9"), of("2001:db8:1:2:ffff::1"));
  EXPECT_NE(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
  EXPECT_EQ(of("::1"), "ip:::1");
}

} // namespace cairn::sockets::listener_test
