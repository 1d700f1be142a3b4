#include "actors/chunks/erased_blobs.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::erased_blobs_test {

using namespace std::chrono_literals;

chunk_id chunk(std::uint64_t blob, std::uint32_t index = 0) {
  return {{1, blob}, index};
}

TEST(erased_blobs, are_remembered_for_as_long_as_a_write_may_be_on_its_way) {
  erased_blobs erased;
  const steady_time start{1h};
  const chunk_id chunks[] = {chunk(1), chunk(1, 1), chunk(2)};
  erased.note(chunks, start);
  EXPECT_EQ(erased.size(), 2u);
  EXPECT_TRUE(erased.contains({1, 1}));
  EXPECT_TRUE(erased.contains({1, 2}));
  EXPECT_FALSE(erased.contains({1, 3}));
  EXPECT_FALSE(erased.contains({2, 1}));
  erased.forget(start + erased_blobs::kept_for);
  EXPECT_TRUE(erased.contains({1, 1}));
  erased.forget(start + erased_blobs::kept_for + 1s);
  EXPECT_FALSE(erased.contains({1, 1}));
  EXPECT_EQ(erased.size(), 0u);
}

TEST(erased_blobs, are_bounded) {
  erased_blobs erased;
  for (std::uint64_t n = 0; n < erased_blobs::blobs_max + 10; ++n) {
    const chunk_id one[] = {chunk(n)};
    erased.note(one, steady_time{1h});
  }
  EXPECT_EQ(erased.size(), erased_blobs::blobs_max);
  EXPECT_FALSE(erased.contains({1, 9}));
  EXPECT_TRUE(erased.contains({1, 10}));
}

} // namespace cairn::actors::erased_blobs_test
