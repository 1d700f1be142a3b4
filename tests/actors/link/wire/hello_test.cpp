#include "actors/link/wire/hello.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::actors::link::hello_test {

using ::testing::HasSubstr;

uuid id(std::uint8_t n) {
  uuid u{};
  u.fill(n);
  return u;
}

hello of_node(std::uint8_t n) {
  hello h;
  h.cluster = id(100);
  h.cluster_name = "blue";
  h.node = id(n);
  h.incarnation = 3;
  h.feature_level = 5;
  h.feature_active = 4;
  h.lane = lane::bulk;
  h.link = 77;
  h.credit_bytes = 1 << 20;
  return h;
}

class link_hello : public ::testing::Test {
protected:
  hello_rules rules{of_node(1), std::nullopt, true};
  hello theirs = of_node(2);

  std::string refusal(const std::optional<uuid>& certified = std::nullopt) {
    const auto judged = rules.judge(theirs, certified);
    return judged ? "accepted" : judged.error().text;
  }
};

TEST_F(link_hello, round_trips_and_refuses_what_is_cut_or_longer) {
  const auto bytes = encode(theirs);
  EXPECT_EQ(decode_hello(bytes).value(), theirs);
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_hello(bytes.substr(0, n))) << n;
  EXPECT_FALSE(decode_hello(bytes + "x"));
}

TEST_F(link_hello, of_a_newer_release_may_say_more) {
  theirs.newest = protocol_newest + 1;
  const auto read = decode_hello(encode(theirs) + "something new");
  ASSERT_TRUE(read);
  EXPECT_EQ(rules.judge(*read, std::nullopt)->protocol, protocol_newest);
}

TEST_F(link_hello, accepts_another_node_of_the_cluster) {
  const auto p = rules.judge(theirs, id(2)).value();
  EXPECT_EQ(p.node, id(2));
  EXPECT_EQ(p.incarnation, 3u);
  EXPECT_EQ(p.link, 77u);
  EXPECT_EQ(p.lane, lane::bulk);
  EXPECT_TRUE(p.member);
  EXPECT_TRUE(p.certified);
  EXPECT_FALSE(rules.judge(theirs, std::nullopt)->certified);
}

TEST_F(link_hello, refuses_protocols_without_overlap) {
  theirs.oldest = theirs.newest = protocol_newest + 1;
  EXPECT_THAT(refusal(), HasSubstr("upgrade the older one"));
  EXPECT_EQ(rules.judge(theirs, std::nullopt).error().code, errc::unsupported);
}

TEST_F(link_hello, refuses_another_cluster) {
  theirs.cluster = id(101);
  theirs.cluster_name = "green";
  EXPECT_THAT(refusal(), HasSubstr("belongs to cluster 'green'"));
}

TEST_F(link_hello, lets_a_node_without_cluster_in_to_join_unless_its_name_says_another) {
  theirs.cluster = {};
  EXPECT_FALSE(rules.judge(theirs, std::nullopt)->member);
  theirs.cluster_name = "green";
  EXPECT_THAT(refusal(), HasSubstr("set up for a cluster named 'green', this node for 'blue'"));
  theirs.cluster_name.clear();
  EXPECT_EQ(refusal(), "accepted");
  rules.strangers = false;
  EXPECT_THAT(refusal(), HasSubstr("belongs to no cluster"));
}

TEST_F(link_hello, refuses_its_own_identity_and_none) {
  theirs.node = id(1);
  EXPECT_THAT(refusal(), HasSubstr("own identity"));
  theirs.node = {};
  EXPECT_EQ(refusal(), "the peer has no identity");
}

TEST_F(link_hello, refuses_an_identity_that_the_certificate_or_the_dialer_does_not_confirm) {
  EXPECT_THAT(refusal(id(3)), HasSubstr("its certificate is node 03030303-0303"));
  rules.expected = id(4);
  EXPECT_THAT(refusal(id(2)), HasSubstr("node 04040404-0404-0404-0404-040404040404 was expected"));
}

TEST_F(link_hello, refuses_when_either_cannot_follow_the_cluster_s_features) {
  theirs.feature_active = 6;
  EXPECT_THAT(refusal(), HasSubstr("upgrade this node"));
  theirs.feature_active = 4;
  theirs.feature_level = 3;
  EXPECT_THAT(refusal(), HasSubstr("upgrade that node"));
}

} // namespace cairn::actors::link::hello_test
