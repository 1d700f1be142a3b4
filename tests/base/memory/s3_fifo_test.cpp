#include "base/memory/s3_fifo.hpp"

#include <gtest/gtest.h>

#include <string>

namespace cairn::s3_fifo_test {

using cache = s3_fifo<int, int>;

bool nothing_in_use(int) {
  return false;
}

// Inserts the key as a cache of `capacity` entries of one byte does: evicts first.
void request(cache& c, int key, std::size_t capacity) {
  if (c.find(key)) return;
  while (c.bytes() >= capacity) ASSERT_TRUE(c.evict(nothing_in_use));
  c.insert(key, key, 1);
}

TEST(s3_fifo, finds_what_was_inserted_until_it_is_evicted) {
  cache c{100};
  c.insert(1, 10, 5);
  ASSERT_TRUE(c.find(1));
  EXPECT_EQ(*c.find(1), 10);
  EXPECT_EQ(c.find(2), nullptr);
  EXPECT_EQ(c.bytes(), 5u);
  cache fresh{100};
  fresh.insert(7, 70, 5);
  EXPECT_EQ(fresh.evict(nothing_in_use), 70);
  EXPECT_EQ(fresh.find(7), nullptr);
  EXPECT_EQ(fresh.bytes(), 0u);
  EXPECT_EQ(fresh.evict(nothing_in_use), std::nullopt);
}

TEST(s3_fifo, a_scan_of_ten_times_the_cache_leaves_hot_entries_in_it) {
  constexpr int capacity = 100, hot = 50;
  cache c{capacity};
  for (int round = 0; round < 4; ++round)
    for (int k = 0; k < hot; ++k) request(c, k, capacity);
  for (int k = 0; k < 10 * capacity; ++k) request(c, 1'000'000 + k, capacity);
  int left = 0;
  for (int k = 0; k < hot; ++k) left += c.find(k) != nullptr;
  EXPECT_EQ(left, hot);
}

// The same scan through a cache that keeps what was used last would leave none of them.
TEST(s3_fifo, entries_that_were_never_used_leave_before_those_that_were) {
  cache c{10};
  for (int k = 0; k < 10; ++k) c.insert(k, k, 1);
  for (int i = 0; i < 2; ++i) c.find(3);
  for (int i = 0; i < 9; ++i) EXPECT_NE(c.evict(nothing_in_use), 3);
  EXPECT_TRUE(c.find(3));
}

TEST(s3_fifo, a_key_that_returns_soon_enters_the_main_queue) {
  constexpr int capacity = 20;
  cache c{capacity};
  for (int k = 0; k < capacity; ++k) request(c, k, capacity);
  request(c, 100, capacity); // evicts 0, which is remembered
  EXPECT_EQ(c.find(0), nullptr);
  request(c, 0, capacity);
  for (int k = 200; k < 200 + 5 * capacity; ++k) request(c, k, capacity);
  EXPECT_TRUE(c.find(0)) << "the scan passed through the small queue";
}

TEST(s3_fifo, remembers_as_many_keys_as_the_main_queue_has_room_for) {
  constexpr int capacity = 50, keys = 1000;
  const auto survives_a_scan = [](int returning) {
    cache c{capacity};
    for (int k = 0; k < keys; ++k) request(c, k, capacity);
    EXPECT_EQ(c.entries(), 50u);
    request(c, returning, capacity); // evicts one more, which is remembered too
    for (int k = keys; k < 2 * keys; ++k) request(c, k, capacity);
    return c.find(returning) != nullptr;
  };
  constexpr int last_evicted = keys - capacity, remembered = capacity * 9 / 10;
  EXPECT_TRUE(survives_a_scan(last_evicted - remembered + 1));
  EXPECT_FALSE(survives_a_scan(last_evicted - remembered));
}

TEST(s3_fifo, used_entries_of_the_main_queue_get_another_round) {
  constexpr int capacity = 10;
  cache c{capacity};
  for (int k = 0; k < capacity; ++k) c.insert(k, k, 1, 3); // all of them promoted by the first evictions
  for (int k = 0; k < capacity; ++k) ASSERT_TRUE(c.find(k));
  const auto first = c.evict(nothing_in_use);
  ASSERT_TRUE(first) << "it ends although every entry was used";
  EXPECT_EQ(c.entries(), 9u);
}

TEST(s3_fifo, skips_entries_in_use_and_gives_up_when_all_are) {
  cache c{10};
  for (int k = 0; k < 10; ++k) c.insert(k, k, 1);
  EXPECT_EQ(c.evict([](int v) { return v != 6; }), 6);
  EXPECT_EQ(c.evict([](int) { return true; }), std::nullopt);
  EXPECT_EQ(c.entries(), 9u);
}

TEST(s3_fifo, replacing_an_entry_counts_its_bytes_once) {
  cache c{100};
  c.insert(1, 10, 5);
  c.insert(1, 11, 8);
  EXPECT_EQ(*c.find(1), 11);
  EXPECT_EQ(c.entries(), 1u);
  EXPECT_EQ(c.bytes(), 8u);
  c.clear();
  EXPECT_EQ(c.find(1), nullptr);
  EXPECT_EQ(c.bytes(), 0u);
}

// Against a plain list of what must be there: no operation loses or doubles bytes.
TEST(s3_fifo, counts_stay_right_through_any_operations) {
  cache c{64};
  std::uint64_t dice = 12345;
  const auto below = [&dice](std::uint64_t n) {
    dice = dice * 6364136223846793005ull + 1442695040888963407ull;
    return (dice >> 33) % n;
  };
  std::unordered_map<int, std::size_t> there;
  for (int i = 0; i < 20'000; ++i) {
    const int key = int(below(200));
    switch (below(4)) {
      case 0: {
        const auto bytes = std::size_t(1 + below(8));
        c.insert(key, key, bytes, below(3));
        there[key] = bytes;
        break;
      }
      case 1:
        if (const auto out = c.evict([&](int v) { return v % 7 == 0; })) {
          EXPECT_NE(*out % 7, 0);
          EXPECT_EQ(there.erase(*out), 1u);
        }
        break;
      default: EXPECT_EQ(c.find(key) != nullptr, there.contains(key));
    }
    std::size_t bytes = 0;
    for (const auto& [k, n] : there) bytes += n;
    ASSERT_EQ(c.bytes(), bytes);
    ASSERT_EQ(c.entries(), there.size());
  }
}

} // namespace cairn::s3_fifo_test
