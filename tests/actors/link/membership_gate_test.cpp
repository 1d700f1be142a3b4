#include "actors/link/membership_gate.hpp"

#include "base/files/node_identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::actors::membership_gate_test {

using ::testing::HasSubstr;

uuid id(std::uint8_t n) {
  uuid u{};
  u.fill(n);
  return u;
}

class membership_gate_ : public ::testing::Test {
protected:
  membership_gate_() { gate.set_members({{id(1), "a:1", 0}, {id(2), "b:1", 5}}); }

  static link::peer peer(std::uint8_t node, std::uint64_t incarnation, bool member = true) {
    link::peer p;
    p.node = id(node);
    p.incarnation = incarnation;
    p.member = member;
    return p;
  }
  std::string refusal(const link::peer& p) const {
    const auto r = gate.admit(p, cluster);
    return r ? "" : r.error().text;
  }

  membership_gate gate;
  const uuid cluster = id(100);
};

TEST_F(membership_gate_, lets_members_in_that_are_no_older_than_known) {
  EXPECT_EQ(refusal(peer(1, 0)), "");
  EXPECT_EQ(refusal(peer(2, 5)), "");
  EXPECT_EQ(refusal(peer(2, 6)), "");
  EXPECT_THAT(refusal(peer(2, 4)), HasSubstr("older incarnation (start 4) than the cluster has seen (start 5)"));
  EXPECT_THAT(refusal(peer(2, 4)), HasSubstr("is this a restored disk?"));
  EXPECT_EQ(gate.admit(peer(2, 4), cluster).error().code, errc::precondition_failed) << "it learns that it is for good";
  EXPECT_EQ(gate.accept(peer(2, 4)).error().code, errc::invalid_argument) << "this node itself is not refused";
}

TEST_F(membership_gate_, tells_a_copy_that_was_started_as_often_as_the_original) {
  const auto start = [](std::uint64_t count, std::uint64_t drawn) { return count | drawn << incarnation_count_bits; };
  gate.set_members({{id(2), "b:1", start(5, 77)}});
  EXPECT_EQ(refusal(peer(2, start(5, 77))), "");
  EXPECT_EQ(refusal(peer(2, start(6, 1))), "");
  for (const auto copy : {start(5, 78), start(5, 76), start(4, 99)})
    EXPECT_THAT(refusal(peer(2, copy)), HasSubstr("restored disk"));
}

TEST_F(membership_gate_, refuses_who_is_not_or_no_longer_a_member) {
  EXPECT_THAT(refusal(peer(3, 1)), HasSubstr("is not a member of the cluster"));
  gate.set_members({{id(1), "a:1", 0}});
  EXPECT_THAT(refusal(peer(2, 9)), HasSubstr("is not a member of the cluster"));
  EXPECT_EQ(gate.admit(peer(2, 9), cluster).error().code, errc::invalid_argument);
}

TEST_F(membership_gate_, tells_a_removed_member_that_it_was_removed) {
  gate.set_members({{id(1), "a:1", 0}, {id(2), "b:1", 5, true}});
  const auto refused = gate.admit(peer(2, 9), cluster);
  EXPECT_THAT(refused.error().text, HasSubstr("was removed from the cluster"));
  EXPECT_EQ(refused.error().code, errc::precondition_failed) << "it learns that it is for good";
  EXPECT_EQ(gate.accept(peer(2, 9)).error().code, errc::invalid_argument) << "this node itself is not refused";
  EXPECT_EQ(refusal(peer(2, 9, false)), "") << "a stranger may ask to join; the join is refused";
  gate.set_members({{id(1), "a:1", 0}, {id(2), "b:1", 5}});
  EXPECT_EQ(refusal(peer(2, 9)), "") << "the log's configuration contains it still";
}

TEST_F(membership_gate_, lets_strangers_in_to_a_member_only) {
  EXPECT_EQ(refusal(peer(3, 1, false)), "");
  EXPECT_THAT(gate.admit(peer(3, 1, false), {}).error().text, HasSubstr("belongs to no cluster yet"));
}

TEST_F(membership_gate_, takes_answers_from_members_only) {
  EXPECT_TRUE(gate.accept(peer(2, 5)));
  EXPECT_THAT(gate.accept(peer(2, 4)).error().text, HasSubstr("older incarnation"));
  EXPECT_THAT(gate.accept(peer(2, 5, false)).error().text, HasSubstr("belongs to no cluster yet"));
}

} // namespace cairn::actors::membership_gate_test
