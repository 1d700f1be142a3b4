#include "cli/client/listing_progress.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::listing_progress_test {

// How many pages were read, of which the first `before` come once and the others are a circle; 0: all that were asked
// for.
std::size_t pages_read(std::size_t before, std::size_t circle, std::size_t pages) {
  listing_progress progress;
  for (std::size_t at = 0; at < pages; ++at) {
    const auto place = at < before ? at : before + (at - before) % circle;
    if (!progress.page("token " + std::to_string(place), true)) return at + 1;
  }
  return 0;
}

TEST(listing_progress, ends_a_listing_that_goes_in_a_circle) {
  EXPECT_EQ(pages_read(0, 1, 100), 2u);
  for (const std::size_t before : {0u, 1u, 2u, 7u, 1000u})
    for (const std::size_t circle : {1u, 2u, 3u, 10u, 1000u}) {
      const auto read = pages_read(before, circle, 20'000);
      EXPECT_GT(read, before + circle);
      EXPECT_LE(read, 4 * (before + circle) + 4) << before << " " << circle;
    }
}

TEST(listing_progress, lets_long_listings_end) {
  EXPECT_EQ(pages_read(200'000, 1, 200'000), 0u);
}

TEST(listing_progress, ends_a_listing_of_nothing_but_lets_gaps_be) {
  listing_progress progress;
  std::size_t page = 0;
  const auto next = [&](bool has_entries) { return progress.page(std::to_string(page++), has_entries).has_value(); };
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(next(false));
  ASSERT_TRUE(next(true));
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(next(false));
  EXPECT_FALSE(next(false));
}

} // namespace cairn::cli::listing_progress_test
