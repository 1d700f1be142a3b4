#include "storage/chunks/location_cache.hpp"

#include "storage/chunks/read_pins.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::location_cache_test {

chunk_id id(std::uint32_t n) {
  return {{3, n}, n};
}
chunk_location at(std::uint64_t n) {
  return {{n, n * 4096}, 100};
}

TEST(location_cache, returns_what_was_offered_and_stays_within_its_bound) {
  location_cache cache{64};
  for (std::uint32_t n = 0; n < 1000; ++n) cache.offer(id(n), at(n), cache.find(id(n)).ticket);
  std::size_t held = 0;
  for (std::uint32_t n = 0; n < 1000; ++n)
    if (const auto found = cache.find(id(n)).location) {
      EXPECT_EQ(*found, at(n));
      ++held;
    }
  EXPECT_GT(held, 32u);
  EXPECT_LE(held, 64u);
}

TEST(location_cache, keeps_what_is_used_when_others_come_and_go) {
  location_cache cache{8};
  cache.put(id(0), at(0));
  for (std::uint32_t n = 1; n < 100; ++n) {
    cache.put(id(n), at(n));
    EXPECT_TRUE(cache.find(id(0)).location) << n;
  }
}

TEST(location_cache, refuses_an_offer_that_was_looked_up_before_an_erase) {
  location_cache cache{64};
  const auto miss = cache.find(id(1));
  cache.erase(id(1));
  cache.offer(id(1), at(1), miss.ticket);
  EXPECT_FALSE(cache.find(id(1)).location);
  cache.put(id(1), at(2));
  cache.offer(id(1), at(1), miss.ticket);
  EXPECT_EQ(*cache.find(id(1)).location, at(2));
}

TEST(read_pins, frees_a_generation_when_no_read_of_it_or_before_it_runs) {
  read_pins pins{5};
  const auto first = pins.generation();
  EXPECT_EQ(first, 5u);
  EXPECT_EQ(pins.advance(), first) << "nobody reads";
  const auto second = pins.generation();
  {
    const auto early = pins.enter();
    EXPECT_EQ(pins.advance(), second - 1);
    const auto third = pins.generation();
    EXPECT_GT(third, second);
    {
      const auto late = pins.enter();
      for (int i = 0; i < 5; ++i) EXPECT_EQ(pins.advance(), second - 1) << "the early read sees the second generation";
      EXPECT_EQ(pins.generation(), third) << "no third generation while two have readers";
    }
    EXPECT_EQ(pins.advance(), second - 1);
  }
  EXPECT_GE(pins.advance(), second);
}

TEST(read_pins, is_not_delayed_by_reads_that_began_later) {
  read_pins pins{1};
  std::unique_ptr<read_pins::pin> early{new read_pins::pin(pins.enter())}; // pins don't move
  const auto erased_in = pins.generation();
  pins.advance();
  const auto late = pins.enter();
  early.reset();
  EXPECT_GE(pins.advance(), erased_in);
}

} // namespace cairn::storage::location_cache_test
