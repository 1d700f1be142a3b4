// Who may join the cluster.
#include "cluster/admission.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cairn::cluster::admission_test {

namespace meta = storage::metadata;
using verdict = admission::verdict;

uuid id(std::uint8_t n) {
  uuid u{};
  u.fill(n);
  return u;
}

class counting_random final : public random_source {
public:
  std::uint64_t next() override { return ++n_ * 0x9E3779B97F4A7C15; }

private:
  std::uint64_t n_ = 0;
};

class admission_ : public testing::Test {
protected:
  admission_() {
    add(1);
    rows.created = 1'000'000;
    rows.founded = true;
  }
  void add(std::uint8_t n, member_state state = member_state::active) {
    l.members.push_back({.number = node_number(l.members.size()), .id = id(n), .address = "a:1", .state = state});
  }
  admission ask(std::uint8_t node, bool certified = true, std::optional<std::string> with = {}) {
    join_claim claim{id(node), certified, {}};
    if (with) claim.proof = prove_token(hash_of_token(*with), id(node));
    return judge_join(claim, l, rows, rules, level, wall);
  }
  void invite(const std::string& with, const uuid& node = {}) {
    rows.invitations.push_back({with.empty() ? token_hash{} : hash_of_token(with), node, wall + 1000});
  }

  layout l;
  meta::admission_rows rows;
  founding_rules rules;
  std::uint8_t level = meta::feature_level;
  wall_ms wall = 1'000'000 + 60'000;
  const std::string token = "cairn-join-0123456789012345678901234567890123456789";
};

TEST_F(admission_, tokens_are_long_and_random_and_need_no_quoting) {
  counting_random random;
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto made = make_join_token(random);
    ASSERT_TRUE(made.starts_with(join_token_prefix)) << made;
    EXPECT_EQ(made.size(), join_token_prefix.size() + 40) << made;
    EXPECT_EQ(made.find_first_not_of("0123456789abcdef", join_token_prefix.size()), std::string::npos) << made;
    seen.insert(made);
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST_F(admission_, a_certificate_alone_waits_for_an_operator) {
  const auto a = ask(2);
  EXPECT_EQ(a.what, verdict::wait);
  EXPECT_EQ(a.why.code, errc::busy) << "the joining node repeats its request";
  EXPECT_NE(a.why.text.find("cairn cluster add " + cairn::to_string(id(2))), std::string::npos);
}

TEST_F(admission_, an_approval_admits_the_certified_node_that_it_names) {
  invite("", id(2));
  EXPECT_EQ(ask(2).what, verdict::invited);
  EXPECT_EQ(ask(2).by, rows.invitations.front());
  EXPECT_EQ(ask(3).what, verdict::wait);
  EXPECT_EQ(ask(2, false).what, verdict::refused) << "any node can claim to be node 2 on a plaintext link";
  wall += 1000;
  EXPECT_EQ(ask(2).what, verdict::wait) << "expired";
}

TEST_F(admission_, a_token_for_one_node_admits_no_other_node_that_knows_it) {
  invite(token, id(7));
  for (const bool certified : {true, false}) {
    EXPECT_EQ(ask(8, certified, token).what, verdict::refused);
    EXPECT_EQ(ask(7, certified, token).what, verdict::invited);
  }
}

TEST_F(admission_, a_token_is_proven_for_the_identity_that_asks) {
  invite(token);
  EXPECT_EQ(ask(2, true, token).what, verdict::invited);
  EXPECT_EQ(ask(2, false, token).what, verdict::invited) << "plaintext links have no certificate";
  join_claim overheard{id(3), true, prove_token(hash_of_token(token), id(2))};
  EXPECT_EQ(judge_join(overheard, l, rows, rules, level, wall).what, verdict::refused);
  const auto other = ask(2, true, "cairn-join-9999999999999999999999999999999999999999");
  EXPECT_EQ(other.what, verdict::refused);
  EXPECT_EQ(other.why.code, errc::invalid_argument) << "the joining node gives up";
  wall += 1000;
  EXPECT_EQ(ask(2, true, token).what, verdict::refused) << "expired";
}

TEST_F(admission_, an_approvals_empty_token_can_not_be_proven) {
  invite("", id(2));
  join_claim forged{id(2), false, prove_token(token_hash{}, id(2))};
  EXPECT_EQ(judge_join(forged, l, rows, rules, level, wall).what, verdict::refused);
}

TEST_F(admission_, a_removed_identity_is_refused_whatever_it_shows) {
  add(2, member_state::removed);
  rows.founded = false;
  invite(token);
  invite("", id(2));
  for (const auto& a : {ask(2), ask(2, true, token), ask(2, false, token)}) {
    EXPECT_EQ(a.what, verdict::refused);
    EXPECT_EQ(a.why.code, errc::precondition_failed);
  }
}

TEST_F(admission_, a_member_comes_back_without_an_invitation) {
  add(2, member_state::out);
  EXPECT_EQ(ask(2).what, verdict::known);
}

TEST_F(admission_, nodes_join_without_an_invitation_until_the_founding_window_is_over) {
  rows.founded = false;
  EXPECT_EQ(ask(2).what, verdict::founding);
  EXPECT_EQ(ask(2, false).what, verdict::founding) << "plaintext, on loopback";
  wall = rows.created + rules.window.count();
  EXPECT_EQ(ask(2).what, verdict::wait);
  EXPECT_EQ(ask(2, false).what, verdict::refused) << "without a certificate a token is needed";
  wall = rows.created - rules.window.count();
  EXPECT_EQ(ask(2).what, verdict::wait) << "a clock that was set back";
  wall = rows.created - 1000;
  EXPECT_EQ(ask(2).what, verdict::founding) << "clocks differ a little";
  wall = rows.created;
  EXPECT_EQ(ask(2).what, verdict::founding);
  while (l.members.size() < rules.nodes_max) add(std::uint8_t(10 + l.members.size()));
  EXPECT_EQ(ask(2).what, verdict::wait) << "a stranger must not use up node numbers";
}

TEST_F(admission_, the_first_invitation_and_the_first_removal_end_the_founding) {
  EXPECT_EQ(ask(2).what, verdict::wait) << "there was an invitation";
  rows.founded = false;
  EXPECT_EQ(ask(2).what, verdict::founding);
  add(3, member_state::removed);
  EXPECT_EQ(ask(2).what, verdict::wait);
}

TEST_F(admission_, no_node_is_added_while_members_of_an_older_build_are_there) {
  level = meta::feature_level_of_invitations - 1;
  EXPECT_EQ(ask(2).what, verdict::wait);
  EXPECT_NE(ask(2).why.text.find("all members run this version"), std::string::npos);
}

} // namespace cairn::cluster::admission_test
