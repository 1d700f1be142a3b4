#include "storage/buffer_pool.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace cairn::storage {

constexpr std::size_t mib = 1 << 20;

TEST(buffer_pool, recycles_the_buffer_that_came_back_last) {
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
  EXPECT_TRUE(pool.under_pressure());
  while (auto b = pool.try_acquire(64 * 1024, reservation::minimum)) held.push_back(b);
  EXPECT_EQ(pool.in_use_bytes(), 4 * mib);
}

TEST(buffer_pool, serves_waiters_in_order_when_buffers_come_back) {
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
  EXPECT_FALSE(pool.try_acquire(4096, reservation::minimum)) << "must not overtake those who wait";
  all.reset();
  EXPECT_EQ(order, (std::vector<int>{1, 3}));
  EXPECT_EQ(pool.waiting(), 0u);
}

TEST(buffer_pool, gives_cached_memory_of_one_size_to_another) {
  buffer_pool pool{mib};
  { auto small = pool.try_acquire(4096, reservation::minimum); }
  EXPECT_TRUE(pool.try_acquire(mib, reservation::minimum));
}

TEST(buffer_pool, obeys_a_lowered_limit_as_buffers_come_back) {
  buffer_pool pool{4 * mib};
  auto a = pool.try_acquire(2 * mib, reservation::minimum);
  pool.set_limit(mib);
  EXPECT_FALSE(pool.try_acquire(4096, reservation::minimum));
  a.reset();
  EXPECT_TRUE(pool.try_acquire(4096, reservation::minimum));
}

TEST(buffer_pool, keeps_its_count_when_many_threads_take_and_give) {
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

} // namespace cairn::storage
