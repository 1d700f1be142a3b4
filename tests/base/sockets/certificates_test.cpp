#include "base/sockets/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::certificates::certificates_test {

using ::testing::HasSubstr;

constexpr wall_ms now = 1'750'000'000'000;
constexpr std::int64_t day_ms = 24ll * 60 * 60 * 1000;

uuid id(std::uint8_t n) {
  uuid u{};
  u.fill(n);
  return u;
}

class node_certificates : public ::testing::Test {
protected:
  key_and_certificate ca = make_ca("blue", now).value();
  key_and_certificate node = issue(ca, id(1), {}, now).value();
};

TEST_F(node_certificates, name_their_node_and_are_signed_by_their_cluster) {
  EXPECT_EQ(check_node_certificate(ca.certificate, node.certificate).value(), id(1));
  const auto other = make_ca("blue", now).value();
  EXPECT_THAT(check_node_certificate(other.certificate, node.certificate).error().text, HasSubstr("not signed by"));
  EXPECT_TRUE(check_node_certificate(other.certificate + ca.certificate, node.certificate))
      << "two authorities, while one replaces the other";
}

TEST_F(node_certificates, carry_names_and_addresses) {
  const std::string names[] = {"node-1.example.org", "10.0.0.7", "::1"};
  EXPECT_TRUE(issue(ca, id(1), names, now));
  for (const std::string wrong : {"", "a b", "x,URI:urn:uuid:0", "-x", "a/b", "DNS:x"}) {
    const std::string one[] = {wrong};
    EXPECT_EQ(issue(ca, id(1), one, now).error().code, errc::invalid_argument) << wrong;
  }
}

TEST_F(node_certificates, end_after_the_given_days) {
  EXPECT_EQ(certificate_end(node.certificate).value(), now + certificate_days_default * day_ms);
  EXPECT_EQ(certificate_end(issue(ca, id(1), {}, now, 1)->certificate).value(), now + day_ms);
  EXPECT_FALSE(issue(ca, id(1), {}, now, 0));
  EXPECT_FALSE(make_ca("blue", now, 100'000));
}

TEST_F(node_certificates, of_no_node_are_no_identity) {
  EXPECT_THAT(check_node_certificate(ca.certificate, ca.certificate).error().text, HasSubstr("names no node"));
}

TEST_F(node_certificates, are_issued_by_an_authority_with_its_key_and_a_name) {
  const auto other = issue(ca, id(2), {}, now).value();
  EXPECT_THAT(issue({node.key, node.certificate}, id(3), {}, now).error().text, HasSubstr("not an authority's"));
  EXPECT_THAT(issue({other.key, ca.certificate}, id(3), {}, now).error().text, HasSubstr("does not belong"));
  EXPECT_FALSE(make_ca("", now));
  EXPECT_FALSE(make_ca(std::string(65, 'x'), now));
}

} // namespace cairn::certificates::certificates_test
