#include "cli/sync/name_filter.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::name_filter_test {

TEST(name_filter, takes_everything_at_first) {
  EXPECT_TRUE(name_filter().takes("a/b"));
}

TEST(name_filter, the_last_pattern_that_matches_decides) {
  name_filter filter;
  filter.exclude("*");
  filter.include("*.jpg");
  filter.exclude("private/*");
  EXPECT_TRUE(filter.takes("a.jpg"));
  EXPECT_TRUE(filter.takes("deep/down/a.jpg")) << "'*' matches '/' too";
  EXPECT_FALSE(filter.takes("a.png"));
  EXPECT_FALSE(filter.takes("private/a.jpg"));
}

TEST(name_filter, a_slash_at_the_end_means_what_is_below) {
  name_filter filter;
  filter.exclude("cache/");
  EXPECT_FALSE(filter.takes("cache/a/b"));
  EXPECT_FALSE(filter.takes("cache/")) << "the folder itself, when it cannot be read";
  EXPECT_TRUE(filter.takes("cache"));
  EXPECT_TRUE(filter.takes("a/cache/b"));
}

TEST(name_filter, sets_and_single_characters) {
  name_filter filter;
  filter.exclude("log.[0-9]");
  filter.exclude("?.tmp");
  EXPECT_FALSE(filter.takes("log.3"));
  EXPECT_TRUE(filter.takes("log.33"));
  EXPECT_FALSE(filter.takes("a.tmp"));
  EXPECT_TRUE(filter.takes("ab.tmp"));
}

} // namespace cairn::cli::name_filter_test
