// When an issuer is asked for its keys, and which of them may be used.
#include "net/web_identity/key_cache.hpp"

#include "tests/net/web_identity/signed_tokens.hpp"

namespace cairn::net::key_cache_test {
using namespace std::chrono_literals;
using state = key_cache::state;

class key_cache_ : public testing::Test {
protected:
  static json_web_keys set(std::initializer_list<std::string> ids) {
    static const auto key = signed_tokens::test_key::curve("P-256", 32);
    std::string all;
    for (const auto& id : ids) all += (all.empty() ? "" : ",") + key.json() + R"(,"kid":")" + id + "\"}";
    return json_web_keys::read(R"({"keys":[)" + all + "]}").value();
  }
  state ask(const std::string& id) { return cache_.ask({"ES256", id}, now_); }

  key_cache cache_;
  steady_time now_{std::chrono::hours{1000}};
};

TEST_F(key_cache_, fetches_first_and_answers_from_the_set_while_it_is_fresh) {
  EXPECT_EQ(ask("a"), state::wait);
  EXPECT_EQ(ask("a"), state::wait) << "for the same fetch";
  cache_.fetched(set({"a"}), std::nullopt, now_);
  EXPECT_EQ(ask("a"), state::known);
  now_ += 3599s;
  EXPECT_EQ(ask("a"), state::known);
  now_ += 1s;
  EXPECT_EQ(ask("a"), state::wait);
}

TEST_F(key_cache_, asks_for_unknown_keys_at_most_every_ten_seconds) {
  (void)ask("a");
  cache_.fetched(set({"a"}), std::nullopt, now_);
  int fetches = 0;
  for (int i = 0; i < 1000; ++i, now_ += 100ms) { // 100 s
    if (ask("x" + std::to_string(i)) == state::wait) {
      ++fetches;
      cache_.fetched(set({"a"}), std::nullopt, now_);
    }
    EXPECT_EQ(ask("a"), state::known) << "is not disturbed";
  }
  EXPECT_EQ(fetches, 9);
}

TEST_F(key_cache_, takes_new_keys_and_drops_those_that_are_gone) {
  (void)ask("a");
  cache_.fetched(set({"a"}), 24h, now_);
  now_ += 10s;
  EXPECT_EQ(ask("b"), state::wait);
  cache_.fetched(set({"b"}), 24h, now_);
  EXPECT_EQ(ask("b"), state::known);
  EXPECT_EQ(ask("a"), state::unknown) << "at once";
}

TEST_F(key_cache_, bounds_what_the_issuer_says_about_caching) {
  const auto fresh_for = [this](std::optional<std::chrono::seconds> max_age) {
    cache_.fetched(set({"a"}), max_age, now_);
    const auto began = now_;
    while (ask("a") == state::known) now_ += 10s;
    return std::chrono::duration_cast<std::chrono::seconds>(now_ - began);
  };
  EXPECT_EQ(fresh_for(0s), 300s);
  EXPECT_EQ(fresh_for(600s), 600s);
  EXPECT_EQ(fresh_for(std::chrono::seconds{1'000'000}), 24h);
}

TEST_F(key_cache_, uses_the_last_set_for_a_day_while_the_issuer_does_not_answer) {
  (void)ask("a");
  cache_.fetched(set({"a"}), std::nullopt, now_);
  const auto fetched = now_;
  now_ += 2h;
  EXPECT_EQ(ask("a"), state::wait);
  cache_.failed(now_);
  EXPECT_EQ(ask("a"), state::known);
  EXPECT_EQ(ask("b"), state::unknown);
  now_ += 10s;
  EXPECT_EQ(ask("a"), state::wait) << "tried again";
  cache_.failed(now_);
  now_ = fetched + 24h;
  EXPECT_EQ(ask("a"), state::wait);
  cache_.failed(now_);
  EXPECT_EQ(ask("a"), state::unreachable);
}

TEST_F(key_cache_, knows_nothing_of_an_issuer_that_never_answered) {
  EXPECT_EQ(ask("a"), state::wait);
  cache_.failed(now_);
  EXPECT_EQ(ask("a"), state::unreachable);
  now_ += 10s;
  EXPECT_EQ(ask("a"), state::wait);
}

} // namespace cairn::net::key_cache_test
