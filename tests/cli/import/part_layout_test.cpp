#include "cli/import/part_layout.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::part_layout_test {

using way = part_layout::way;

TEST(part_layout, reads_the_number_of_parts_from_an_etag) {
  EXPECT_EQ(part_count_of("9e107d9d372bb6826bd81d3542a419d6-12"), 12u);
  EXPECT_FALSE(part_count_of("9e107d9d372bb6826bd81d3542a419d6"));
  EXPECT_FALSE(part_count_of("x-"));
  EXPECT_FALSE(part_count_of("x-0"));
  EXPECT_FALSE(part_count_of("x-1y"));
}

TEST(part_layout, follows_the_part_numbers_of_a_source_that_knows_them) {
  const auto layout = plan_part_layout(100_MiB, 7, 15_MiB);
  EXPECT_EQ(layout.how, way::by_part_number);
  EXPECT_EQ(layout.count, 7u);
  EXPECT_EQ(plan_part_layout(10, 1, 10).how, way::by_part_number) << "the only part may be small";
}

TEST(part_layout, assumes_the_part_size_of_a_well_known_client_that_gives_the_same_number_of_parts) {
  for (const auto bytes : {5_MiB, 8_MiB, 15_MiB, 16_MiB, 64_MiB}) {
    const auto size = 50 * bytes + 12345;
    const auto layout = plan_part_layout(size, 51, std::nullopt);
    EXPECT_EQ(layout.how, way::by_range);
    EXPECT_EQ(layout.plan.part_bytes, bytes);
    EXPECT_EQ(layout.plan.count(), 51u);
  }
  const auto odd = plan_part_layout(3 * 37_MiB, 3, std::nullopt);
  EXPECT_EQ(odd.plan.count(), 3u);
  const auto one = plan_part_layout(1000, 1, std::nullopt);
  EXPECT_EQ(one.how, way::by_range);
  EXPECT_EQ(one.plan.part_bytes, 1000u);
}

TEST(part_layout, cuts_anew_what_the_target_cannot_store_as_it_is) {
  const auto small_parts = plan_part_layout(100_MiB, 100, 1_MiB);
  EXPECT_EQ(small_parts.how, way::by_range);
  EXPECT_EQ(small_parts.plan.part_bytes, part_bytes_default);
  EXPECT_EQ(small_parts.count, small_parts.plan.count());
  EXPECT_EQ(plan_part_layout(3_MiB, 3, 1_MiB).how, way::whole);
  EXPECT_EQ(plan_part_layout(0, 1, std::nullopt).how, way::whole);
  EXPECT_EQ(plan_part_layout(3_MiB, 3, std::nullopt).how, way::whole);
  EXPECT_LE(plan_part_layout(20'000 * 5_MiB, 20'000, 5_MiB).count, parts_max);
}

} // namespace cairn::cli::part_layout_test
