#include "net/wire/http_shared.hpp"

#include <gtest/gtest.h>

namespace cairn::net::http_shared_test {

using namespace std::chrono_literals;

TEST(party_watch, sees_one_party_alone_however_often_it_comes) {
  party_watch parties;
  const int a = 0;
  for (auto now = steady_time{1h}; now < steady_time{1h} + 5s; now += 100ms) {
    parties.note(&a, now);
    EXPECT_FALSE(parties.several(now));
  }
}

TEST(party_watch, sees_several_until_a_second_after_the_party_changed) {
  party_watch parties;
  const int a = 0, b = 0;
  const steady_time start{1h};
  parties.note(&a, start);
  parties.note(&b, start + 10s);
  EXPECT_TRUE(parties.several(start + 10s));
  EXPECT_TRUE(parties.several(start + 10s + 999ms));
  parties.note(&b, start + 10s + 999ms);
  EXPECT_FALSE(parties.several(start + 11s)) << "the other has not come again";
  parties.note(&a, start + 11s);
  EXPECT_TRUE(parties.several(start + 11s));
}

} // namespace cairn::net::http_shared_test
