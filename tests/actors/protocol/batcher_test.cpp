#include "actors/protocol/batcher.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::batcher_test {

TEST(batcher, gathers_what_waits_while_a_batch_runs) {
  batcher<int> b{{}};
  ASSERT_TRUE(b.add(1, 10));
  EXPECT_EQ(b.begin({}), (std::vector<int>{1}));
  ASSERT_TRUE(b.add(2, 10));
  ASSERT_TRUE(b.add(3, 10));
  EXPECT_TRUE(b.begin({}).empty()); // one runs
  b.finished({});
  EXPECT_EQ(b.begin({}), (std::vector<int>{2, 3}));
  b.finished({});
  EXPECT_TRUE(b.begin({}).empty());
  EXPECT_EQ(b.running(), 0u);
}

TEST(batcher, begins_another_batch_beside_a_running_one_when_enough_waits) {
  batcher<int> b{{.batch_items = 4, .running_max = 2, .items_beside_min = 3}};
  const auto add = [&b](int from, int to) {
    for (int i = from; i <= to; ++i) EXPECT_TRUE(b.add(i, 1));
  };
  add(1, 1);
  EXPECT_EQ(b.begin({}), (std::vector<int>{1}));
  add(2, 3);
  EXPECT_TRUE(b.begin({}).empty()) << "too few";
  add(4, 4);
  EXPECT_EQ(b.begin({}), (std::vector<int>{2, 3, 4}));
  add(5, 9);
  EXPECT_TRUE(b.begin({}).empty()) << "two run";
  b.finished({});
  EXPECT_EQ(b.begin({}), (std::vector<int>{5, 6, 7, 8}));
  b.finished({});
  b.finished({});
  EXPECT_EQ(b.begin({}), (std::vector<int>{9})) << "none runs";
  EXPECT_EQ(b.running(), 1u);
}

TEST(batcher, makes_smaller_batches_while_two_parties_write) {
  const auto at = [](int ms) { return steady_time{} + std::chrono::milliseconds{ms}; };
  const auto flood = std::make_shared<int>(1), other = std::make_shared<int>(2);
  batcher<int> b{{.batch_bytes = 80, .shared_batch_bytes = 20}};
  const auto add = [&b](int from, int to, const party_ptr& party) {
    for (int i = from; i <= to; ++i) EXPECT_TRUE(b.add(i, 10, party));
  };
  const auto next = [&b](steady_time now) {
    auto batch = b.begin(now);
    b.finished(now);
    return batch;
  };
  add(1, 20, flood);
  EXPECT_EQ(next(at(0)).size(), 2u) << "whether it is alone is not known yet";
  EXPECT_EQ(next(at(1000)).size(), 8u) << "nobody else came within shared_for";
  add(21, 21, other);
  EXPECT_EQ(next(at(1001)), (std::vector<int>{11, 21})) << "the other's waits for one item, in a small batch";
  EXPECT_EQ(next(at(1900)), (std::vector<int>{12, 13})) << "the other may come again";
  EXPECT_EQ(next(at(2901)), (std::vector<int>{14, 15, 16, 17, 18, 19, 20}));
}

TEST(batcher, waits_for_the_clients_of_the_last_batch_for_a_part_of_its_time) {
  const auto at = [](int ms) { return steady_time{} + std::chrono::milliseconds{ms}; };
  batcher<int> b{{.gather_part = 4}};
  const auto add = [&b](int from, int to) {
    for (int i = from; i <= to; ++i) EXPECT_TRUE(b.add(i, 1));
  };
  add(1, 2);
  EXPECT_EQ(b.begin(at(100)).size(), 2u);
  add(3, 3);
  EXPECT_FALSE(b.gathers_until()) << "a batch runs";
  b.finished(at(140));
  EXPECT_EQ(b.gathers_until(), at(150));
  EXPECT_TRUE(b.begin(at(149)).empty()) << "its two clients may come again";
  add(4, 4);
  EXPECT_TRUE(b.begin(at(149)).empty());
  add(5, 5);
  EXPECT_FALSE(b.gathers_until());
  EXPECT_EQ(b.begin(at(149)), (std::vector<int>{3, 4, 5})) << "as many as can be expected";
  add(6, 6);
  b.finished(at(169));
  EXPECT_TRUE(b.begin(at(173)).empty());
  EXPECT_EQ(b.begin(at(174)), (std::vector<int>{6})) << "its time is over";
  b.finished(at(200));
  EXPECT_FALSE(b.gathers_until()) << "nothing waits";
}

TEST(batcher, does_not_wait_when_the_next_batch_is_full_already) {
  batcher<int> b{{.batch_items = 2, .gather_part = 2}};
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(b.add(i, 1));
  EXPECT_EQ(b.begin({}).size(), 2u);
  b.finished(steady_time{} + std::chrono::seconds{1});
  EXPECT_EQ(b.begin(steady_time{} + std::chrono::seconds{1}), (std::vector<int>{3, 4}));
}

TEST(batcher, does_not_wait_when_many_items_wait_already) {
  batcher<int> b{{.batch_items = 200, .gather_part = 2}};
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(b.add(i, 1));
  EXPECT_EQ(b.begin({}).size(), 100u);
  for (std::size_t i = 0; i < gather_items_max; ++i) ASSERT_TRUE(b.add(int(i), 1));
  b.finished(steady_time{} + std::chrono::seconds{1});
  EXPECT_EQ(b.begin(steady_time{} + std::chrono::seconds{1}).size(), gather_items_max);
}

TEST(batcher, bounds_a_batch_by_items_and_bytes_but_never_to_nothing) {
  batcher<int> b{{.batch_items = 3, .batch_bytes = 100}};
  ASSERT_TRUE(b.add(1, 500));
  for (int i = 2; i <= 6; ++i) ASSERT_TRUE(b.add(i, 40));
  for (const auto& expected :
       {std::vector<int>{1}, std::vector<int>{2, 3}, std::vector<int>{4, 5}, std::vector<int>{6}}) {
    EXPECT_EQ(b.begin({}), expected);
    b.finished({});
  }
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(b.add(i, 1));
  EXPECT_EQ(b.begin({}).size(), 3u);
}

TEST(batcher, refuses_more_than_may_wait) {
  batcher<int> items{{.waiting_items = 2}};
  EXPECT_TRUE(items.add(1, 1));
  EXPECT_TRUE(items.add(2, 1));
  EXPECT_FALSE(items.add(3, 1));
  batcher<int> bytes{{.waiting_bytes = 100}};
  EXPECT_TRUE(bytes.add(1, 1000)); // one always fits
  EXPECT_FALSE(bytes.add(2, 1));
  bytes.begin({});
  EXPECT_TRUE(bytes.add(3, 100));
}

TEST(batcher, puts_the_rest_of_a_batch_back_in_front_in_its_order) {
  batcher<int> b{{}};
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(b.add(i, 1));
  b.begin({});
  ASSERT_TRUE(b.add(4, 1));
  b.finished({});
  b.put_back({2, 3}, 1);
  EXPECT_EQ(b.begin({}), (std::vector<int>{2, 3, 4}));
}

} // namespace cairn::actors::batcher_test
