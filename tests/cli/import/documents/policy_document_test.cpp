#include "cli/import/documents/policy_document.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::policy_document_test {

std::string policy_with(const std::string& statements) {
  return R"({"Version":"2012-10-17","Statement":[)" + statements + "]}";
}

const std::string reads = R"({"Effect":"Allow","Action":["s3:GetObject"],"Resource":"*"})";

TEST(policy_document, is_taken_as_it_is_where_cairn_knows_its_services) {
  for (const auto* action : {"s3:*", "*", "iam:GetUser", "s3:Get*", "S3:GetObject"}) {
    const auto document =
        policy_with(R"({"Effect":"Allow", "Action": ")" + std::string{action} + R"(","Resource":"*"})");
    const auto taken = take_policy(document, {});
    EXPECT_EQ(taken.document, document);
    EXPECT_TRUE(taken.left_actions.empty());
  }
  EXPECT_EQ(take_policy("no JSON", {}).document, "no JSON"); // the target says what is wrong
}

TEST(policy_document, loses_actions_of_services_that_cairn_does_not_have) {
  const auto taken =
      take_policy(policy_with(R"({"Effect":"Allow","Action":["admin:*"]},)"
                              R"({"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"},)"
                              R"({"Effect":"Allow","Action":["ec2:RunInstances","s3:GetObject"],"Resource":"*"})"),
                  {});
  EXPECT_EQ(taken.document, policy_with(reads));
  EXPECT_EQ(taken.left_actions, (std::vector<std::string>{"admin:*", "kms:Encrypt", "ec2:RunInstances"}));
  EXPECT_EQ(take_policy(policy_with(R"({"Effect":"Allow","Action":"ec2:*","Resource":"*"})"), {}).document, "");
  EXPECT_EQ(take_policy(R"({"Statement":{"Effect":"Allow","Action":["ec2:*","s3:*"],"Resource":"*"}})", {}).document,
            R"({"Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*"}]})");
  // NotAction is about all others: that may be something here.
  const auto other = policy_with(R"({"Effect":"Allow","NotAction":"ec2:*","Resource":"*"})");
  EXPECT_EQ(take_policy(other, {}).document, other);
}

TEST(policy_document, names_users_of_cairns_account) {
  const auto of = [](const std::string& account) {
    return policy_with(R"({"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::)" + account + R"(:user/ann"})");
  };
  EXPECT_EQ(take_policy(of("123456789012"), "123456789012").document, of("000000000000"));
  EXPECT_EQ(take_policy(of("999999999999"), "123456789012").document, of("999999999999"));
  EXPECT_EQ(take_policy(of("123456789012"), {}).document, of("123456789012"));
}

TEST(policy_document, denies_unless_all_statements_allow) {
  EXPECT_FALSE(denies_something(policy_with(reads)));
  EXPECT_TRUE(denies_something(policy_with(reads + R"(,{"Effect":"Deny","Action":"s3:*","Resource":"*"})")));
  EXPECT_TRUE(denies_something("no JSON"));
}

TEST(policy_document, is_compared_as_json) {
  EXPECT_TRUE(is_same_document(R"({"a":1, "b":[1,2]})", R"({"b":[1,2],"a":1})"));
  EXPECT_FALSE(is_same_document(R"({"b":[1,2]})", R"({"b":[2,1]})"));
  EXPECT_FALSE(is_same_document("x", "y"));
}

TEST(policy_document, has_principals_who_are_nobody_in_cairn) {
  const auto of = [](const std::string& principal) {
    return foreign_principals(
        policy_with(R"({"Effect":"Allow","Principal":)" + principal + R"(,"Action":"s3:*","Resource":"*"})"));
  };
  using names = std::vector<std::string>;
  for (const auto* here : {R"("*")", R"({"AWS":"*"})", R"({"AWS":"arn:aws:iam:::user/ann"})",
                           R"({"AWS":["000000000000","arn:aws:iam::000000000000:root"]})", R"({"CanonicalUser":"x"})"})
    EXPECT_EQ(of(here), names{}) << here;
  EXPECT_EQ(of(R"({"AWS":["arn:aws:iam::1:user/b","arn:aws:iam::000000000000:role/r","*"],"Service":"x.com"})"),
            (names{"arn:aws:iam::000000000000:role/r", "arn:aws:iam::1:user/b", "x.com"}));
}

} // namespace cairn::cli::policy_document_test
