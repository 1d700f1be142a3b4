#include "net/admin/console_sessions.hpp"

#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cairn::net::console_sessions_test {

using namespace std::chrono_literals;

struct set_clock final : cairn::clock {
  steady_time time{};
  steady_time now() const override { return time; }
  wall_ms wall() const override { return 0; }
};

struct fixture {
  set_clock clock;
  seeded_random random{1};
  console_sessions sessions{clock, random};
};

TEST(console_sessions, are_found_by_their_id_alone) {
  fixture f;
  const auto one = f.sessions.begin("CKA", false), two = f.sessions.begin("", true);
  EXPECT_EQ(one.id.size(), 64u);
  EXPECT_NE(one.id, two.id);
  EXPECT_NE(one.session.csrf, one.id);
  EXPECT_NE(one.session.csrf, two.session.csrf);
  EXPECT_EQ(f.sessions.find(one.id)->key, "CKA");
  EXPECT_FALSE(f.sessions.find(one.id)->is_operator);
  EXPECT_TRUE(f.sessions.find(two.id)->is_operator);
  for (const auto& other : {std::string{}, std::string(64, '0'), one.session.csrf, one.id.substr(1), one.id + "0"})
    EXPECT_FALSE(f.sessions.find(other)) << other;
  f.sessions.end(one.id);
  EXPECT_FALSE(f.sessions.find(one.id));
  EXPECT_TRUE(f.sessions.find(two.id));
}

TEST(console_sessions, end_without_requests_and_at_their_age) {
  fixture f;
  const auto idle = f.sessions.begin("CKA", false).id, busy = f.sessions.begin("CKA", false).id;
  for (auto age = 0min; age < session_age_max; age += 20min) {
    EXPECT_TRUE(f.sessions.find(busy)) << age.count();
    f.clock.time += 20min;
    if (age == 20min) {
      EXPECT_FALSE(f.sessions.find(idle));
    }
  }
  EXPECT_FALSE(f.sessions.find(busy));
  EXPECT_EQ(f.sessions.count(), 0u);
}

TEST(console_sessions, are_bounded_and_one_key_does_not_push_out_others) {
  fixture f;
  const auto mine = f.sessions.begin("CKA", false).id;
  std::string second;
  for (std::size_t n = 0; n < 2 * sessions_max; ++n) {
    f.clock.time += 1s;
    const auto id = f.sessions.begin("CKB", false).id;
    if (n == 1) second = id;
  }
  EXPECT_EQ(f.sessions.count(), 1 + sessions_of_key_max);
  EXPECT_TRUE(f.sessions.find(mine));
  EXPECT_FALSE(f.sessions.find(second)) << "the oldest of the same key ended";
  for (std::size_t n = 0; n < 2 * sessions_max; ++n) {
    f.clock.time += 1s;
    f.sessions.begin("K" + std::to_string(n), false);
  }
  EXPECT_EQ(f.sessions.count(), sessions_max);
}

TEST(console_sessions, ids_do_not_repeat) {
  fixture f;
  std::set<std::string> seen;
  for (int n = 0; n < 1000; ++n) EXPECT_TRUE(seen.insert(f.sessions.begin("CKA", false).id).second);
}

TEST(cookie_of, takes_the_whole_name) {
  EXPECT_EQ(cookie_of("a=1; cairn=2;b=3", "cairn"), "2");
  EXPECT_EQ(cookie_of("xcairn=1; cairn-2=3", "cairn"), "");
  EXPECT_EQ(cookie_of("cairn=", "cairn"), "");
  EXPECT_EQ(cookie_of("", "cairn"), "");
  EXPECT_EQ(cookie_of("cairn=a=b", "cairn"), "a=b");
  EXPECT_EQ(cookie_of(";;  ;", "cairn"), "");
}

TEST(same_origin, is_this_scheme_host_and_port) {
  EXPECT_TRUE(is_same_origin("http://127.0.0.1:9001", "127.0.0.1:9001", false));
  EXPECT_TRUE(is_same_origin("https://node-1:9001", "node-1:9001", true));
  EXPECT_TRUE(is_same_origin("https://node-1", "node-1", false)) << "a proxy in front speaks TLS";
  EXPECT_FALSE(is_same_origin("http://node-1:9001", "node-1:9001", true));
  EXPECT_FALSE(is_same_origin("http://127.0.0.1:9000", "127.0.0.1:9001", false)) << "objects are served there";
  EXPECT_FALSE(is_same_origin("http://127.0.0.1:90010", "127.0.0.1:9001", false));
  EXPECT_FALSE(is_same_origin("null", "127.0.0.1:9001", false));
  EXPECT_FALSE(is_same_origin("", "", false));
  EXPECT_FALSE(is_same_origin("http://", "", false));
  EXPECT_FALSE(is_same_origin(std::nullopt, "127.0.0.1:9001", false));
}

} // namespace cairn::net::console_sessions_test
