#include "base/execution/fair_queue.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace cairn::fair_queue_test {

using testing::ElementsAre;

struct fair_queue_ : testing::Test {
  std::vector<std::string> pop_all() {
    std::vector<std::string> out;
    while (!queue.empty()) out.push_back(queue.pop());
    return out;
  }
  const std::shared_ptr<int> one = std::make_shared<int>(1), other = std::make_shared<int>(2);
  fair_queue<std::string> queue;
};

TEST_F(fair_queue_, takes_an_item_of_each_party_in_turn_and_each_partys_in_order) {
  for (const auto* item : {"a1", "a2", "a3"}) queue.push(item, one);
  queue.push("n1");
  queue.push("b1", other);
  queue.push("b2", other);
  EXPECT_EQ(queue.size(), 6u);
  EXPECT_EQ(queue.front(), "a1");
  EXPECT_EQ(queue.front_party(), one.get());
  EXPECT_THAT(pop_all(), ElementsAre("a1", "n1", "b1", "a2", "b2", "a3"));
}

TEST_F(fair_queue_, lets_a_party_that_comes_later_wait_for_one_item_of_another) {
  for (const auto* item : {"a1", "a2", "a3"}) queue.push(item, one);
  EXPECT_EQ(queue.pop(), "a1");
  queue.push("b1", other);
  EXPECT_THAT(pop_all(), ElementsAre("a2", "b1", "a3"));
}

TEST_F(fair_queue_, puts_an_item_back_before_the_others_of_its_party) {
  queue.push("n1");
  queue.push("n2");
  auto first = queue.pop();
  queue.push_front(std::move(first));
  EXPECT_THAT(pop_all(), ElementsAre("n1", "n2"));
}

TEST_F(fair_queue_, gives_up_those_that_are_asked_for_and_keeps_the_turns_of_the_rest) {
  for (const auto* item : {"a1", "a2 late"}) queue.push(item, one);
  queue.push("n1 late");
  for (const auto* item : {"b1 late", "b2"}) queue.push(item, other);
  std::vector<std::string> seen;
  queue.visit([&seen](const std::string& item) { seen.push_back(item); });
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_THAT(queue.take_if([](const std::string& item) { return item.ends_with("late"); }),
              ElementsAre("a2 late", "n1 late", "b1 late"));
  EXPECT_EQ(queue.size(), 2u);
  queue.push("n2");
  EXPECT_THAT(pop_all(), ElementsAre("a1", "b2", "n2"));
}

TEST_F(fair_queue_, keeps_places_for_a_new_party_whatever_others_have_queued) {
  constexpr std::size_t places = 64;
  while (queue.has_room(one, places)) queue.push("a", one);
  EXPECT_EQ(queue.size(), 56u) << "seven eighths";
  while (queue.has_room(other, places)) queue.push("b", other);
  EXPECT_EQ(queue.size(), 63u) << "7 of the 8 that are left";
  EXPECT_TRUE(queue.has_room(std::make_shared<int>(3), places));
  EXPECT_FALSE(queue.has_room(one, places));
  queue.push("n");
  EXPECT_FALSE(queue.has_room(nullptr, places)) << "no place at all";
}

TEST_F(fair_queue_, lets_the_node_itself_use_all_places) {
  while (queue.has_room(nullptr, 64)) queue.push("n");
  EXPECT_EQ(queue.size(), 64u);
  EXPECT_FALSE(queue.has_room(one, 64));
}

TEST_F(fair_queue_, keeps_a_party_as_long_as_it_has_items) {
  const std::weak_ptr<int> watched = [this] {
    auto brief = std::make_shared<int>(3);
    queue.push("c1", brief);
    return std::weak_ptr{brief};
  }();
  EXPECT_FALSE(watched.expired());
  queue.pop();
  EXPECT_TRUE(watched.expired());
}

} // namespace cairn::fair_queue_test
