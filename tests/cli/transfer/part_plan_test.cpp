#include "cli/transfer/part_plan.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::part_plan_test {

TEST(part_plan, the_parts_cover_the_file_once) {
  for (const std::uint64_t size : {5_MiB, 64_MiB + 1, 160'000_MiB, 160'000_MiB + 1, 5_TiB}) {
    const auto plan = plan_parts(size, part_bytes_default);
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; i < plan.count(); ++i) {
      ASSERT_EQ(plan.begin(i), next);
      ASSERT_GT(plan.bytes(i), 0U);
      next += plan.bytes(i);
    }
    EXPECT_EQ(next, size);
  }
}

TEST(part_plan, there_are_never_more_parts_than_s3_takes) {
  EXPECT_EQ(plan_parts(10'000 * 16_MiB, 16_MiB).part_bytes, 16_MiB);
  EXPECT_EQ(plan_parts(10'000 * 16_MiB + 1, 16_MiB).part_bytes, 17_MiB);
  for (const auto wanted : {part_bytes_min, part_bytes_default, part_bytes_max})
    for (const std::uint64_t size : {1_GiB, 160_GiB, 5_TiB, 48_TiB})
      EXPECT_LE(plan_parts(size, wanted).count(), parts_max);
}

TEST(part_plan, files_of_more_than_four_parts_go_in_parts) {
  EXPECT_FALSE(goes_in_parts(0, 5_MiB));
  EXPECT_FALSE(goes_in_parts(20_MiB, 5_MiB));
  EXPECT_TRUE(goes_in_parts(20_MiB + 1, 5_MiB));
  EXPECT_FALSE(goes_in_parts(19_GiB, 5_GiB));
}

} // namespace cairn::cli::part_plan_test
