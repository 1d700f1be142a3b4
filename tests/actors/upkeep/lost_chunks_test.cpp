#include "actors/upkeep/lost_chunks.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

#include <gmock/gmock.h>

namespace cairn::storage::metadata::lost_chunks_test {
using ::testing::HasSubstr;
using strings = std::vector<std::string>;

class lost_chunks_test : public store_test {};

TEST_F(lost_chunks_test, neighbours_are_given_up_in_one_row) {
  const std::vector<chunk_id> rising{{{1, 1}, 0}, {{1, 1}, 1}, {{1, 1}, 3}, {{1, 2}, 4}, {{2, 1}, 5}, {{2, 1}, 6}};
  EXPECT_EQ(actors::give_up(rising).chunks,
            (std::vector<metadata::lost_chunks>{{{1, 1}, 0, 2}, {{1, 1}, 3, 1}, {{1, 2}, 4, 1}, {{2, 1}, 5, 2}}));
}

TEST_F(lost_chunks_test, are_told_with_the_objects_that_need_them) {
  const blob_id first = new_blob(), second = new_blob(), third = new_blob();
  run(big("a", first));
  run(small("b"));
  run(big("c", second));
  run(big("d", third));
  const chunk_id lost[] = {{first, 2}, {third, 0}};
  const auto view = read();
  const auto all = actors::objects_with(*view, lost, 10, 100).value();
  ASSERT_EQ(all.names.size(), 2u);
  EXPECT_THAT(all.names[0], testing::EndsWith("/a"));
  EXPECT_THAT(all.names[1], testing::EndsWith("/d"));
  EXPECT_TRUE(all.all_searched);
  EXPECT_FALSE(actors::objects_with(*view, lost, 1, 100)->all_searched);
  EXPECT_FALSE(actors::objects_with(*view, lost, 10, 2)->all_searched);
  EXPECT_TRUE(actors::objects_with(*view, {}, 10, 100)->names.empty());
}

TEST_F(lost_chunks_test, are_described_for_people) {
  EXPECT_EQ(actors::describe_lost(0, {}), "no chunk is known to be lost");
  const auto text = actors::describe_lost(2, {{"b/a", "b/d"}, false});
  EXPECT_THAT(text, HasSubstr("2 chunks have no good replica"));
  EXPECT_THAT(text, HasSubstr("  b/a\n  b/d\n  … there may be more\n"));
  EXPECT_THAT(text, HasSubstr("cairn cluster forget-lost"));
}

} // namespace cairn::storage::metadata::lost_chunks_test
