#include "actors/protocol/reply_table.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::reply_table_test {

steady_time at(int ms) {
  return steady_time{} + std::chrono::milliseconds{ms};
}

TEST(reply_table, gives_each_promise_once) {
  reply_table<int> t;
  const auto a = t.add(1, at(10)), b = t.add(2, at(20));
  EXPECT_EQ(t.take(b), 2);
  EXPECT_FALSE(t.take(b));
  EXPECT_TRUE(t.contains(a));
  EXPECT_EQ(t.take_all(), (std::vector<int>{1}));
  EXPECT_FALSE(t.take(a));
}

TEST(reply_table, hands_each_overdue_promise_out_once) {
  reply_table<int> t;
  const auto a = t.add(1, at(10));
  t.add(2, at(20));
  EXPECT_TRUE(t.take_overdue(at(9)).empty());
  EXPECT_EQ(t.take_overdue(at(10)), (std::vector<int>{1}));
  EXPECT_FALSE(t.take(a)); // the answer came too late
  EXPECT_EQ(t.size(), 1u);
}

} // namespace cairn::actors::reply_table_test
