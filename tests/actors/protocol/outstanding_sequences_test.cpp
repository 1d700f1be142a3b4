#include "actors/protocol/outstanding_sequences.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::outstanding_sequences_test {

TEST(outstanding_sequences, acknowledge_nothing_from_the_oldest_unanswered_batch_on) {
  outstanding_sequences open;
  EXPECT_EQ(open.begin(1), 1u); // 1 to 9
  EXPECT_EQ(open.begin(10), 1u);
  open.answered(10);
  EXPECT_EQ(open.begin(20), 1u);
  open.answered(1);
  EXPECT_EQ(open.begin(30), 20u);
  open.answered(20);
  open.answered(30);
  EXPECT_EQ(open.batches(), 0u);
  EXPECT_EQ(open.begin(40), 40u);
}

TEST(outstanding_sequences, count_batches_without_stamps) {
  outstanding_sequences open;
  open.begin(5);
  EXPECT_EQ(open.begin(5), 5u);
  open.answered(5);
  EXPECT_EQ(open.begin(8), 5u);
  open.answered(5);
  open.answered(8);
  EXPECT_EQ(open.batches(), 0u);
}

} // namespace cairn::actors::outstanding_sequences_test
