#include "base/sockets/handshake_pace.hpp"

#include <gtest/gtest.h>

namespace cairn::sockets::handshake_pace_test {

using namespace std::chrono_literals;

struct handshake_pace_test : testing::Test {
  unsigned charged(const std::string& address, unsigned wanted) {
    unsigned n = 0;
    while (n < wanted && pace.charge(address, now)) ++n;
    return n;
  }
  handshake_pace pace;
  steady_time now{1000s};
};

TEST_F(handshake_pace_test, an_address_that_completes_nothing_gets_its_credit_and_then_its_rate) {
  EXPECT_EQ(charged("crowd", 1000), handshake_pace::steps_max);
  for (int i = 0; i < 4; ++i) {
    now += 1s;
    EXPECT_EQ(charged("crowd", 1000), handshake_pace::steps_per_second);
  }
  EXPECT_EQ(charged("other", 10), 10u) << "another address owes nothing";
  now += 1h;
  EXPECT_EQ(charged("crowd", 1000), handshake_pace::steps_max) << "credit does not grow without bound";
}

TEST_F(handshake_pace_test, what_is_completed_is_not_owed) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(charged("proxy", handshake_pace::steps_max), handshake_pace::steps_max);
    pace.refund("proxy", handshake_pace::steps_max);
  }
  charged("proxy", 10);
  pace.refund("proxy", 1000);
  EXPECT_EQ(charged("proxy", 1000), handshake_pace::steps_max) << "nor is it saved";
  pace.refund("nobody", 5);
}

TEST_F(handshake_pace_test, forgets_addresses_that_owe_nothing) {
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(pace.charge("address" + std::to_string(i), now));
    now += 100ms;
  }
  EXPECT_LE(pace.size(), 1024u);
}

} // namespace cairn::sockets::handshake_pace_test
