#include "net/wire/fair_turns.hpp"

#include <gmock/gmock.h>

#include <map>

namespace cairn::net::fair_turns_test {

using testing::ElementsAre;

struct fair_turns_ : testing::Test {
  void ask(const std::string& party) {
    turns->take(party, [this, party](fair_turns::turn t) {
      begun.push_back(party);
      held.emplace(party, std::move(t));
    });
  }
  // Each turn that ends may begin another, which is held too.
  void TearDown() override {
    while (!held.empty()) end_one(std::string{held.begin()->first});
  }
  void end_one(const std::string& party) {
    auto at = held.find(party);
    ASSERT_NE(at, held.end());
    const auto ends = std::move(at->second);
    held.erase(at);
  }

  std::shared_ptr<fair_turns> turns = std::make_shared<fair_turns>(4, 2);
  std::vector<std::string> begun;
  std::multimap<std::string, fair_turns::turn> held;
};

TEST_F(fair_turns_, gives_one_party_its_bound_and_another_a_turn_at_once) {
  for (int i = 0; i < 10; ++i) ask("greedy");
  ask("other");
  EXPECT_THAT(begun, ElementsAre("greedy", "greedy", "other"));
  EXPECT_EQ(turns->waiting(), 8u);
}

TEST_F(fair_turns_, lets_the_next_of_a_party_begin_when_one_of_its_own_ends) {
  for (int i = 0; i < 4; ++i) ask("a");
  end_one("a");
  EXPECT_THAT(begun, ElementsAre("a", "a", "a"));
  end_one("a");
  end_one("a");
  end_one("a");
  EXPECT_EQ(begun.size(), 4u);
  EXPECT_EQ(turns->waiting(), 0u);
}

TEST_F(fair_turns_, lets_waiting_parties_take_turns_when_all_are_taken) {
  for (const auto* party : {"a", "a", "b", "b"}) ask(party);
  for (const auto* party : {"c", "c", "d", "a"}) ask(party);
  EXPECT_EQ(begun.size(), 4u);
  for (const auto* party : {"b", "b", "a"}) end_one(party);
  EXPECT_THAT(std::vector<std::string>(begun.begin() + 4, begun.end()), ElementsAre("c", "d", "c"));
  end_one("c");
  EXPECT_EQ(begun.back(), "a");
}

TEST_F(fair_turns_, keeps_nothing_of_parties_that_are_gone) {
  for (int i = 0; i < 100; ++i) {
    ask("party" + std::to_string(i));
    end_one("party" + std::to_string(i));
  }
  ask("x");
  EXPECT_EQ(held.size(), 1u);
}

} // namespace cairn::net::fair_turns_test
