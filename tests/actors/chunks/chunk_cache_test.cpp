#include "actors/chunks/chunk_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace cairn::actors::chunk_cache_test {

constexpr std::uint32_t block = block_size_bytes, chunk = 1 << 20;

// A cache of one shard, and downloads that use it one after the other.
class chunk_cache_test : public testing::Test {
protected:
  static chunk_cache::request whole(std::uint32_t index, std::uint32_t length = chunk) {
    return {{{{7, 1}, index}, 0}, length, length};
  }
  static chunk_cache::request range(std::uint32_t index, std::uint32_t offset, std::uint32_t length) {
    return {{{{7, 1}, index}, offset}, length, length};
  }
  static slice filled(buffer_ptr buffer, std::uint32_t length, std::uint32_t value) {
    std::fill_n(buffer->data(), length, std::byte(value));
    return {std::move(buffer), 0, length};
  }
  // One that joins puts what it gets into `woken`.
  chunk_cache::answer find(const chunk_cache::request& wanted) {
    return cache.find(wanted, [this]() -> chunk_cache::waker {
      return [this](fill_outcome out) { woken.push_back(std::move(out)); };
    });
  }
  // False: the cache has no memory for it.
  bool read(std::uint32_t index, std::uint32_t length = chunk) {
    auto found = find(whole(index, length));
    if (found.bytes) return true;
    if (!found.fill) return false;
    found.fill->landed(filled(std::move(found.buffer), length, index));
    return true;
  }
  bool has(std::uint32_t index) { return cache.find(whole(index), nullptr).bytes.has_value(); }

  chunk_cache cache{16 * chunk, 1};
  std::vector<fill_outcome> woken;
};

TEST_F(chunk_cache_test, a_second_read_gets_the_bytes_of_the_first) {
  ASSERT_TRUE(read(5));
  const auto again = find(whole(5));
  ASSERT_TRUE(again.bytes);
  EXPECT_EQ(again.bytes->length, chunk);
  EXPECT_TRUE(std::ranges::all_of(again.bytes->view(), [](std::byte b) { return b == std::byte{5}; }));
  const auto stats = cache.stats();
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_EQ(stats.misses, 1u);
  EXPECT_EQ(stats.entries, 1u);
  EXPECT_GE(stats.bytes, chunk);
  EXPECT_LT(stats.bytes, chunk + 4096);
}

TEST_F(chunk_cache_test, a_range_of_a_whole_chunk_is_a_hit_and_a_chunk_of_which_a_range_is_there_is_none) {
  ASSERT_TRUE(read(1));
  const auto part = find(range(1, 3 * block, 2 * block));
  ASSERT_TRUE(part.bytes);
  EXPECT_EQ(part.bytes->offset, 3 * block);
  EXPECT_EQ(part.bytes->length, 2 * block);

  auto found = find(range(2, 3 * block, 2 * block));
  ASSERT_TRUE(found.fill);
  found.fill->landed(filled(std::move(found.buffer), 2 * block, 2));
  EXPECT_TRUE(find(range(2, 3 * block, block)).bytes);
  EXPECT_TRUE(find(range(2, 3 * block, 3 * block)).fill) << "its last block is not there";
  EXPECT_TRUE(find(range(2, 4 * block, block)).fill) << "entries are found by their first block";
  EXPECT_TRUE(find(whole(2)).fill);
}

TEST_F(chunk_cache_test, requests_for_a_chunk_that_is_being_read_wait_for_that_read) {
  auto first = find(whole(1));
  ASSERT_TRUE(first.fill);
  EXPECT_TRUE(find(whole(1)).joined);
  EXPECT_TRUE(find(range(1, 2 * block, block)).joined);
  EXPECT_TRUE(woken.empty());
  first.fill->landed(filled(std::move(first.buffer), chunk, 1));
  ASSERT_EQ(woken.size(), 2u);
  ASSERT_TRUE(woken[0].bytes);
  EXPECT_EQ(woken[0].bytes->length, chunk);
  ASSERT_TRUE(woken[1].bytes);
  EXPECT_EQ(woken[1].bytes->offset, 2 * block);
  EXPECT_EQ(woken[1].bytes->owner, woken[0].bytes->owner) << "one buffer for all";
  EXPECT_EQ(cache.stats().joined, 2u);
  EXPECT_EQ(cache.stats().misses, 1u);
}

TEST_F(chunk_cache_test, after_a_failed_read_each_reads_by_itself) {
  auto first = find(whole(1));
  EXPECT_TRUE(find(whole(1)).joined);
  first.fill->failed();
  first.fill.reset();
  ASSERT_EQ(woken.size(), 1u) << "woken once";
  EXPECT_FALSE(woken[0].bytes);
  EXPECT_FALSE(woken[0].cancelled);
  auto own = cache.find(whole(1), nullptr);
  ASSERT_TRUE(own.fill);
  EXPECT_FALSE(find(whole(1)).joined) << "a read by itself is no read to wait for";
  own.fill->landed(filled(std::move(own.buffer), chunk, 1));
  EXPECT_TRUE(has(1));
}

TEST_F(chunk_cache_test, after_a_cancelled_read_one_of_those_that_waited_reads_for_the_others) {
  auto first = find(whole(1));
  EXPECT_TRUE(find(whole(1)).joined);
  EXPECT_TRUE(find(whole(1)).joined);
  first.fill.reset();
  ASSERT_EQ(woken.size(), 2u);
  EXPECT_TRUE(woken[0].cancelled && !woken[0].bytes);
  auto next = find(whole(1));
  ASSERT_TRUE(next.fill);
  EXPECT_TRUE(find(whole(1)).joined);
  next.fill->landed(filled(std::move(next.buffer), chunk, 1));
  ASSERT_EQ(woken.size(), 3u);
  EXPECT_TRUE(woken[2].bytes);
}

TEST_F(chunk_cache_test, one_that_waits_for_more_than_the_chunk_has_reads_by_itself) {
  auto first = find(whole(1));
  EXPECT_TRUE(find(whole(1)).joined);
  first.fill->landed(filled(std::move(first.buffer), chunk - 1, 1));
  ASSERT_EQ(woken.size(), 1u);
  EXPECT_FALSE(woken[0].bytes);
  EXPECT_FALSE(woken[0].cancelled);
}

TEST_F(chunk_cache_test, memory_stays_within_the_limit_and_what_is_sent_is_not_counted_twice) {
  for (std::uint32_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(read(i));
    EXPECT_LE(cache.stats().bytes, 16u * chunk);
  }
  const auto before = cache.stats();
  EXPECT_GE(before.evictions, 84u);
  std::vector<chunk_cache::answer> sending;
  for (int i = 0; i < 3; ++i) {
    sending.push_back(find(whole(99)));
    EXPECT_TRUE(sending.back().bytes);
  }
  EXPECT_EQ(cache.stats().bytes, before.bytes);
}

TEST_F(chunk_cache_test, a_scan_does_not_evict_hot_chunks) {
  for (int round = 0; round < 4; ++round)
    for (std::uint32_t i = 0; i < 6; ++i) ASSERT_TRUE(read(i));
  for (std::uint32_t i = 0; i < 160; ++i) ASSERT_TRUE(read(1000 + i));
  for (std::uint32_t i = 0; i < 6; ++i) EXPECT_TRUE(has(i)) << i;
}

TEST_F(chunk_cache_test, gives_no_memory_while_sockets_use_all_of_it_and_does_again_after) {
  std::vector<chunk_cache::answer> sending;
  for (std::uint32_t i = 0; read(i); ++i) {
    sending.push_back(find(whole(i)));
    ASSERT_TRUE(sending.back().bytes);
    ASSERT_LT(i, 16u);
  }
  EXPECT_GE(sending.size(), 15u);
  EXPECT_LE(cache.stats().bytes, 16u * chunk);
  const auto none = find(whole(500));
  EXPECT_FALSE(none.bytes || none.joined || none.fill);
  EXPECT_TRUE(has(0)) << "what is being sent is still there for others";
  sending.clear();
  EXPECT_TRUE(read(500));
}

TEST_F(chunk_cache_test, a_slice_that_would_fill_the_shard_is_not_cached) {
  const auto large = find(whole(1, 16 << 20));
  EXPECT_FALSE(large.bytes || large.joined || large.fill);
  EXPECT_EQ(cache.stats().evictions, 0u);
}

TEST_F(chunk_cache_test, a_small_chunk_takes_little_memory) {
  auto found = find(whole(1, block));
  const auto kept = found.fill->landed(filled(std::move(found.buffer), 5000, 1));
  EXPECT_EQ(kept.length, 5000u);
  EXPECT_EQ(kept.owner->capacity(), 8192u);
  EXPECT_TRUE(std::ranges::all_of(kept.view(), [](std::byte b) { return b == std::byte{1}; }));
  EXPECT_LT(cache.stats().bytes, 9000u);
}

TEST_F(chunk_cache_test, a_buffer_of_another_pool_serves_those_that_wait_and_is_not_kept) {
  buffer_pool other{4 << 20};
  auto first = find(whole(1));
  EXPECT_TRUE(find(whole(1)).joined);
  first.fill->landed(filled(other.try_acquire(chunk, reservation::minimum), chunk, 1));
  ASSERT_EQ(woken.size(), 1u);
  EXPECT_TRUE(woken[0].bytes);
  woken.clear();
  EXPECT_FALSE(has(1));
  EXPECT_EQ(other.in_use_bytes(), 0u);
}

TEST_F(chunk_cache_test, a_lower_limit_evicts_and_0_frees_all_but_what_is_being_sent) {
  for (std::uint32_t i = 0; i < 15; ++i) ASSERT_TRUE(read(i));
  cache.set_limit(4 * chunk);
  EXPECT_LE(cache.stats().bytes, 4u * chunk);
  EXPECT_TRUE(read(100));
  auto sending = find(whole(100));
  ASSERT_TRUE(sending.bytes);
  auto reading = find(whole(101));
  ASSERT_TRUE(reading.fill);
  cache.set_limit(0);
  EXPECT_EQ(cache.stats().bytes, 2u * chunk);
  EXPECT_FALSE(find(whole(100)).bytes);
  reading.fill->landed(filled(std::move(reading.buffer), chunk, 1));
  sending.bytes.reset();
  EXPECT_EQ(cache.stats().bytes, 0u) << "what arrives later is not kept";
  cache.set_limit(16 * chunk);
  EXPECT_TRUE(read(1));
  EXPECT_TRUE(has(1));
}

TEST(chunk_cache, successive_chunks_are_spread_over_the_shards) {
  chunk_cache cache{64 << 20, 16}; // four chunks a shard
  std::vector<chunk_cache::answer> held;
  for (std::uint32_t i = 0; i < 64; ++i) {
    auto found = cache.find({{{{7, 1}, i}, 0}, chunk, chunk}, nullptr);
    if (found.fill) held.push_back(std::move(found));
  }
  EXPECT_GE(held.size(), 40u) << "one shard would have room for four";
}

TEST(chunk_cache, threads_that_read_the_same_chunks_find_their_bytes_and_leave_nothing_behind) {
  chunk_cache cache{8 * chunk, 4};
  const auto reader = [&cache](std::uint64_t dice) {
    for (int i = 0; i < 4000; ++i) {
      dice = dice * 6364136223846793005ull + 1442695040888963407ull;
      const auto index = std::uint32_t((dice >> 33) % 200);
      auto found = cache.find({{{{7, 1}, index}, 0}, block, block},
                              [] { return chunk_cache::waker{[](const fill_outcome&) {}}; });
      if (found.bytes) {
        ASSERT_EQ(found.bytes->view()[block - 1], std::byte(index));
      } else if (found.fill && dice % 16 != 0) {
        std::fill_n(found.buffer->data(), block, std::byte(index));
        found.fill->landed({std::move(found.buffer), 0, block});
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::uint64_t t = 1; t <= 4; ++t) threads.emplace_back(reader, t);
  for (auto& t : threads) t.join();
  EXPECT_LE(cache.stats().bytes, 8u * chunk);
  cache.set_limit(0);
  EXPECT_EQ(cache.stats().bytes, 0u);
}

} // namespace cairn::actors::chunk_cache_test
