#include "actors/chunks/damaged_chunks.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::damaged_chunks_test {

chunk_id chunk(std::uint32_t index) {
  return {{1, 2}, index};
}

TEST(damaged_chunks, hands_out_each_once) {
  damaged_chunks d;
  for (const std::uint32_t i : {3, 1, 3, 2, 1}) d.note(chunk(i));
  EXPECT_EQ(d.take(2), (std::vector{chunk(1), chunk(2)}));
  d.settled();
  EXPECT_EQ(d.take(9), std::vector{chunk(3)});
  d.settled();
  EXPECT_TRUE(d.take(9).empty());
}

TEST(damaged_chunks, does_not_list_a_chunk_again_while_it_is_being_repaired) {
  damaged_chunks d;
  d.note(chunk(1));
  EXPECT_EQ(d.take(9).size(), 1u);
  d.note(chunk(1));
  d.settled();
  EXPECT_TRUE(d.take(9).empty());
  d.note(chunk(1));
  EXPECT_EQ(d.take(9).size(), 1u) << "a reader found it again: it was not repaired, or is damaged again";
}

TEST(damaged_chunks, remembers_no_more_than_its_bound) {
  damaged_chunks d;
  for (std::uint32_t i = 0; i < 2 * damaged_chunks::remembered_max; ++i) d.note(chunk(i));
  EXPECT_EQ(d.take(1'000'000).size(), damaged_chunks::remembered_max);
}

} // namespace cairn::actors::damaged_chunks_test
