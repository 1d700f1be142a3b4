#include "actors/upkeep/erase_plan.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::erase_plan_test {

storage::metadata::buried_blob blob(std::uint64_t number, std::uint32_t chunks) {
  return {1, {1, number}, chunks};
}

TEST(erase_plan, shares_a_page_among_small_blobs_and_cuts_huge_ones) {
  erase_plan plan{{blob(1, 2), blob(2, 0), blob(3, 5)}, 3};
  const auto first = plan.next_page();
  EXPECT_EQ(first, (chunk_ids{{{1, 1}, 0}, {{1, 1}, 1}, {{1, 3}, 0}}));
  EXPECT_EQ(plan.complete().size(), 2u);
  EXPECT_EQ(plan.next_page().size(), 3u);
  EXPECT_FALSE(plan.done());
  EXPECT_EQ(plan.next_page(), (chunk_ids{{{1, 3}, 4}}));
  EXPECT_TRUE(plan.done());
  EXPECT_EQ(plan.complete().size(), 3u);
}

TEST(erase_plan, is_complete_after_an_empty_page_when_no_blob_has_chunks) {
  erase_plan plan{{blob(1, 0), blob(2, 0)}, 3};
  EXPECT_TRUE(plan.next_page().empty());
  EXPECT_TRUE(plan.done());
  EXPECT_EQ(plan.complete().size(), 2u);
}

TEST(erase_plan, ends_a_page_with_a_blob_that_fills_it_exactly) {
  erase_plan plan{{blob(1, 3), blob(2, 1)}, 3};
  EXPECT_EQ(plan.next_page().size(), 3u);
  EXPECT_EQ(plan.complete().size(), 1u);
  EXPECT_EQ(plan.next_page().size(), 1u);
  EXPECT_TRUE(plan.done());
}

} // namespace cairn::actors::erase_plan_test
