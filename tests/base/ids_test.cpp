#include "base/ids.hpp"
#include "base/metrics.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace cairn::ids_test {

TEST(ids, spread_chunks_evenly_over_partitions) {
  std::vector<int> hits(partition_count);
  for (std::uint32_t i = 0; i < partition_count * 16; ++i) ++hits[partition_of({{7, 42}, i})];
  for (const int h : hits) EXPECT_LT(h, 48);
}

TEST(ids, keep_their_partition_for_ever_because_it_is_part_of_the_format) {
  EXPECT_EQ(partition_of({{1, 2}, 3}), 4379);
  EXPECT_EQ(partition_of({{0, 0}, 0}), 6065);
  EXPECT_EQ(to_string(chunk_id{{0x1f, 2}, 3}), "1f-0000000000000002/3");
  EXPECT_EQ(to_string(uuid{0xde, 0xad}), "dead0000-0000-0000-0000-000000000000");
}

TEST(metrics, put_a_latency_into_the_first_bucket_that_holds_it) {
  latency_histogram h;
  for (const std::uint64_t us : {0, 16, 17, 32, 33}) h.observe_us(us);
  h.observe_us(~0ull);
  EXPECT_EQ(h.count(0), 2u);
  EXPECT_EQ(h.count(1), 2u);
  EXPECT_EQ(h.count(2), 1u);
  EXPECT_EQ(h.count(latency_histogram::buckets - 1), 1u);
}

} // namespace cairn::ids_test
