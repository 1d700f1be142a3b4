#include "base/memory/buffer_pool.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace cairn::buffer_pool_test {

constexpr std::size_t mib = 1 << 20;

TEST(buffer_pool, reuses_the_most_recently_released_buffer) {
  buffer_pool pool{8 * mib};
  auto first = pool.try_acquire(mib, reservation::minimum);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->capacity(), mib);
  const auto* where = first->data();
  first.reset();
  EXPECT_EQ(pool.in_use_bytes(), 0u);
  EXPECT_EQ(pool.try_acquire(mib, reservation::minimum)->data(), where);
}

TEST(buffer_pool, lets_growth_use_half_of_the_limit_and_minimums_all_of_it) {
  buffer_pool pool{4 * mib};
  std::vector<buffer_ptr> held;
  while (auto b = pool.try_acquire(mib, reservation::growth)) held.push_back(b);
  EXPECT_EQ(held.size(), 2u);
  while (auto b = pool.try_acquire(64 * 1024, reservation::minimum)) held.push_back(b);
  EXPECT_EQ(pool.in_use_bytes(), 4 * mib);
}

TEST(buffer_pool, serves_waiters_in_order_when_buffers_are_released) {
  buffer_pool pool{mib};
  auto all = pool.try_acquire(mib, reservation::minimum);
  std::vector<int> order;
  std::vector<buffer_ptr> kept;
  const auto keep_as = [&](int n) {
    return [&order, &kept, n](buffer_ptr b) {
      order.push_back(n);
      kept.push_back(std::move(b));
    };
  };
  EXPECT_NE(pool.wait(512 * 1024, keep_as(1)), 0u);
  const auto second = pool.wait(512 * 1024, keep_as(2));
  EXPECT_NE(pool.wait(512 * 1024, keep_as(3)), 0u);
  EXPECT_TRUE(pool.cancel_wait(second));
  EXPECT_FALSE(pool.cancel_wait(second));
  EXPECT_FALSE(pool.try_acquire(4096, reservation::minimum)) << "must not overtake waiting requests";
  all.reset();
  EXPECT_EQ(order, (std::vector<int>{1, 3}));
  EXPECT_EQ(pool.waiting(), 0u);
}

TEST(buffer_pool, reuses_cached_memory_for_another_size_class) {
  buffer_pool pool{mib};
  { auto small = pool.try_acquire(4096, reservation::minimum); }
  EXPECT_TRUE(pool.try_acquire(mib, reservation::minimum));
}

TEST(buffer_pool, obeys_a_lowered_limit_as_buffers_are_released) {
  buffer_pool pool{4 * mib};
  auto a = pool.try_acquire(2 * mib, reservation::minimum);
  pool.set_limit(mib);
  EXPECT_FALSE(pool.try_acquire(4096, reservation::minimum));
  a.reset();
  EXPECT_TRUE(pool.try_acquire(4096, reservation::minimum));
}

TEST(buffer_pool, keeps_its_count_when_many_threads_acquire_and_release) {
  buffer_pool pool{8 * mib};
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 2000; ++i) {
        auto b =
            pool.try_acquire(std::size_t(4096) << ((i + t) % 8), i % 2 ? reservation::growth : reservation::minimum);
        if (b) b->data()[0] = std::byte(i);
      }
    });
  threads.clear();
  EXPECT_EQ(pool.in_use_bytes(), 0u);
}

TEST(buffer_pool, limits_one_account_to_seven_eighths_and_leaves_others_the_rest) {
  buffer_pool pool{64 * mib};
  const auto greedy = std::make_shared<memory_account>("greedy"), other = std::make_shared<memory_account>("other");
  std::vector<buffer_ptr> held;
  while (auto b = pool.try_acquire(mib, reservation::minimum, greedy)) held.push_back(b);
  EXPECT_EQ(held.size(), 56u);
  EXPECT_EQ(greedy->held_bytes(), 56 * mib);
  EXPECT_TRUE(pool.try_acquire(mib, reservation::minimum, other));
  EXPECT_TRUE(pool.try_acquire(2 * mib, reservation::growth, other)) << "other accounts hold the memory, not this one";
  EXPECT_FALSE(pool.try_acquire(4 * mib, reservation::growth, other));
  EXPECT_FALSE(pool.try_acquire(mib, reservation::growth, greedy));
  EXPECT_TRUE(pool.try_acquire(mib, reservation::minimum)) << "the node's own";
  held.clear();
  EXPECT_EQ(greedy->held_bytes(), 0u);
}

TEST(buffer_pool, leaves_memory_for_each_further_account) {
  buffer_pool pool{64 * mib};
  std::vector<buffer_ptr> held;
  std::vector<account_ptr> accounts;
  for (int i = 0; i < 3; ++i) {
    accounts.push_back(std::make_shared<memory_account>("greedy"));
    while (auto b = pool.try_acquire(64 * 1024, reservation::minimum, accounts.back())) held.push_back(b);
    EXPECT_LT(pool.in_use_bytes(), 64 * mib);
  }
  const auto fourth = std::make_shared<memory_account>("fourth");
  EXPECT_TRUE(pool.try_acquire(64 * 1024, reservation::minimum, fourth));
}

TEST(buffer_pool, skips_waiters_beyond_their_share) {
  buffer_pool pool{8 * mib};
  const auto greedy = std::make_shared<memory_account>("greedy"), other = std::make_shared<memory_account>("other");
  std::vector<buffer_ptr> held, granted;
  while (auto b = pool.try_acquire(mib, reservation::minimum, greedy)) held.push_back(b);
  ASSERT_EQ(held.size(), 7u);
  const auto keep = [&granted](buffer_ptr b) { granted.push_back(std::move(b)); };
  const auto waits = pool.wait(mib, keep, greedy);
  EXPECT_NE(waits, 0u);
  EXPECT_TRUE(pool.try_acquire(mib, reservation::minimum, other)) << "a waiter must not block others";
  auto last = pool.try_acquire(mib, reservation::minimum, other);
  EXPECT_NE(pool.wait(mib, keep, other), 0u) << "now memory is spent";
  last.reset();
  EXPECT_EQ(granted.size(), 1u) << "the other account's, although it came later";
  EXPECT_TRUE(pool.cancel_wait(waits));
  EXPECT_EQ(pool.waiting(), 0u);
}

TEST(buffer_pool, serves_waiting_accounts_round_robin) {
  buffer_pool pool{8 * mib};
  auto all = pool.try_acquire(8 * mib, reservation::minimum);
  const auto a = std::make_shared<memory_account>("a"), b = std::make_shared<memory_account>("b");
  std::string order;
  std::vector<buffer_ptr> granted;
  for (const auto& [name, account] : {std::pair{'a', a}, {'a', a}, {'a', a}, {'b', b}}) {
    pool.wait(
        mib,
        [&order, &granted, name = name](buffer_ptr got) {
          order += name;
          granted.push_back(std::move(got));
        },
        account);
  }
  all.reset();
  EXPECT_EQ(order, "abaa");
}

TEST(buffer_pool, counts_charges_as_memory) {
  buffer_pool pool{8 * mib};
  const auto account = std::make_shared<memory_account>("a");
  auto charge = pool.try_charge(3 * mib, account);
  ASSERT_TRUE(charge);
  EXPECT_EQ(pool.in_use_bytes(), 3 * mib);
  EXPECT_FALSE(charge->resize(9 * mib));
  EXPECT_EQ(charge->bytes(), 3 * mib) << "a refusal changes nothing";
  EXPECT_TRUE(charge->resize(6 * mib));
  bool granted = false;
  EXPECT_NE(pool.wait(4 * mib, [&granted](const buffer_ptr&) { granted = true; }), 0u);
  EXPECT_TRUE(charge->resize(mib));
  EXPECT_TRUE(granted);
  charge.reset();
  EXPECT_EQ(account->held_bytes(), 0u);
  EXPECT_EQ(pool.in_use_bytes(), 0u);
}

} // namespace cairn::buffer_pool_test
