#include "cluster/raft/log_witness.hpp"

#include "base/files/node_identity.hpp"

#include <gtest/gtest.h>

namespace cairn::cluster::raft::log_witness_test {

constexpr std::uint64_t drawn = std::uint64_t{77} << incarnation_count_bits;
constexpr std::uint64_t first = drawn | 4, second = 5, third = drawn | 6;

append_answer accepts(index_t last, term_t term = 3) {
  return {term, 0, last};
}
append_answer rejects(index_t at, index_t last, term_t term = 3) {
  return {term, at, last};
}

class log_witness_test : public testing::Test {
protected:
  log_witness_test() { witness.note(2, first, 3, 80, accepts(100)); }
  log_witness witness;
};

TEST_F(log_witness_test, a_later_start_whose_log_ends_before_what_was_acknowledged_has_lost_entries) {
  EXPECT_TRUE(witness.note(2, second, 3, 100, rejects(120, 99)));
  EXPECT_FALSE(witness.note(2, second, 3, 100, rejects(110, 99))) << "known";
  ASSERT_EQ(witness.lost().size(), 1u);
  EXPECT_EQ(witness.lost().at(2), second);
}

TEST_F(log_witness_test, one_that_has_them_has_lost_nothing) {
  witness.note(2, second, 3, 100, rejects(120, 100)); // what it had not acknowledged may be gone
  witness.note(2, second, 3, 100, accepts(120));
  witness.note(2, third, 3, 120, rejects(130, 125));
  EXPECT_TRUE(witness.lost().empty());
}

TEST_F(log_witness_test, each_start_is_held_against_all_that_came_before_it) {
  witness.note(2, second, 3, 100, accepts(110));
  witness.note(2, third, 3, 110, rejects(111, 105));
  EXPECT_EQ(witness.lost().at(2), third);
}

TEST_F(log_witness_test, late_and_repeated_answers_of_the_same_or_an_earlier_start_say_nothing) {
  witness.note(2, first, 3, 100, rejects(90, 50)); // sent before it had them
  witness.note(2, second, 3, 100, accepts(100));
  witness.note(2, first, 3, 100, rejects(90, 50));
  witness.note(2, second, 3, 100, accepts(40)); // to an old request: it says nothing of the log's end
  EXPECT_TRUE(witness.lost().empty());
}

TEST_F(log_witness_test, answers_of_other_terms_and_to_other_terms_say_nothing) {
  witness.note(2, second, 3, 100, rejects(120, 10, 2));
  witness.note(2, second, 3, 100, {3, rejected_as_stale, 0});
  EXPECT_TRUE(witness.lost().empty());
  witness.note(2, second, 4, 0, rejects(120, 10, 4)); // it leads anew, and knows nothing of what was acknowledged
  EXPECT_TRUE(witness.lost().empty());
}

TEST_F(log_witness_test, a_server_that_began_anew_with_the_leaders_knowledge_has_lost_nothing) {
  witness.note(2, second, 3, 0, rejects(120, 0)); // it was taken out of the configuration and put into it again
  EXPECT_TRUE(witness.lost().empty());
}

TEST_F(log_witness_test, another_server_is_another_matter) {
  witness.note(3, second, 3, 0, rejects(120, 5));
  witness.note(2, second, 3, 100, rejects(120, 5));
  EXPECT_EQ(witness.lost().size(), 1u);
  witness.reset();
  EXPECT_TRUE(witness.lost().empty());
}

} // namespace cairn::cluster::raft::log_witness_test
