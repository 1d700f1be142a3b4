#include "cli/import/identities/identity_plan.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::identity_plan_test {

const std::string allows =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]})";
const std::string denies =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}]})";
const std::string of_others =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]})";

using lines = std::vector<std::string>;

lines steps_of(const identity_plan& plan) {
  lines out;
  for (const auto& step : plan.steps) out.push_back(step.action + " " + step.what);
  return out;
}
lines texts_of(const std::vector<identity_remark>& remarks) {
  lines out;
  for (const auto& one : remarks) out.push_back(one.what + ": " + one.why);
  return out;
}
std::string value_of(const identity_step& step, const std::string& name) {
  for (const auto& [parameter, value] : step.parameters)
    if (parameter == name) return value;
  return {};
}

// Ann reads, and must not write.
identity_set source_with_ann() {
  identity_set set;
  set.account = "123456789012";
  set.policies = {{"reads", "/p/", "for people", allows}, {"no-writes", "/", {}, denies}};
  set.groups = {{"devs", "/", {{{"own", denies}}, {"reads"}}}, {"all", "/", {{}, {"reads"}}}};
  set.users = {{"ann", "/team/", {{"k", "v"}}, {"all", "devs"}, {{{"in", allows}}, {"reads", "no-writes"}}, {}, {}}};
  return set;
}

TEST(identity_plan, makes_everything_in_an_empty_target_and_denies_first) {
  const auto source = source_with_ann();
  const auto plan = plan_identities(source, {}, {});
  EXPECT_EQ(steps_of(plan),
            (lines{"CreatePolicy policy reads", "CreatePolicy policy no-writes", "CreateGroup group devs",
                   "PutGroupPolicy group devs: policy own", "AttachGroupPolicy group devs: attached policy reads",
                   "CreateGroup group all", "AttachGroupPolicy group all: attached policy reads", "CreateUser user ann",
                   "AddUserToGroup user ann: group devs", "AttachUserPolicy user ann: attached policy no-writes",
                   "PutUserPolicy user ann: policy in", "AttachUserPolicy user ann: attached policy reads",
                   "AddUserToGroup user ann: group all"}));
  EXPECT_EQ(value_of(plan.steps[0], "Path") + value_of(plan.steps[0], "Description"), "/p/for people");
  EXPECT_EQ(value_of(plan.steps[4], "PolicyArn"), "arn:aws:iam:::policy/p/reads");
  EXPECT_EQ(value_of(plan.steps[7], "Tags.member.1.Value"), "v");
  EXPECT_TRUE(plan.steps[8].denies && plan.steps[9].denies && !plan.steps[10].denies);
  EXPECT_EQ(plan.steps[11].needs, (lines{"user ann", "policy reads"}));
}

TEST(identity_plan, asks_for_nothing_that_is_there) {
  const auto source = source_with_ann();
  auto target = source;
  target.users[0].tags.push_back({"more", "x"});
  target.users[0].policies.attached.push_back("more");
  const auto plan = plan_identities(source, target, {});
  EXPECT_EQ(steps_of(plan), lines{});
  EXPECT_EQ(plan.same, 5u);
}

TEST(identity_plan, leaves_documents_that_the_target_has_otherwise) {
  const auto source = source_with_ann();
  auto target = source;
  target.policies[0].document = denies;
  target.users[0].policies.own[0].document = denies;
  const auto plan = plan_identities(source, target, {});
  EXPECT_EQ(steps_of(plan), lines{});
  EXPECT_EQ(plan.differences.size(), 2u);
  EXPECT_TRUE(plan.withheld.contains("policy reads"));
  const auto over = plan_identities(source, target, {.overwrite = true});
  EXPECT_EQ(steps_of(over),
            (lines{"CreatePolicyVersion policy reads: new version", "PutUserPolicy user ann: policy in"}));
}

TEST(identity_plan, gives_nothing_to_whom_cairn_cannot_limit) {
  auto source = source_with_ann();
  source.policies.clear();
  source.groups.clear();
  source.users[0].withheld = "a boundary";
  const auto plan = plan_identities(source, {}, {});
  EXPECT_EQ(steps_of(plan), lines{"CreateUser user ann"});
  EXPECT_EQ(texts_of(plan.left), lines{"user ann: policies, groups and keys: a boundary"});
}

TEST(identity_plan, does_not_join_two_whose_names_differ_in_case) {
  identity_set source;
  source.users = {{"ann"}, {"Ann"}};
  const auto plan = plan_identities(source, {}, {});
  EXPECT_EQ(steps_of(plan), lines{"CreateUser user ann"});
  EXPECT_EQ(plan.left.size(), 1u);
}

TEST(identity_plan, names_what_is_about_other_services) {
  identity_set source;
  source.policies = {{"vms", "/", {}, of_others}};
  source.users = {{"ann", "/", {}, {}, {{}, {"vms", "gone"}}, {}, {}}};
  const auto plan = plan_identities(source, {}, {});
  EXPECT_EQ(texts_of(plan.left), (lines{"policy vms: it is only about other services: ec2:*",
                                        "user ann: attached policy gone: the source does not have it",
                                        "user ann: attached policy vms: it is only about other services"}));
}

TEST(identity_plan, carries_keys_whose_secrets_are_told) {
  identity_set source;
  source.users = {{"ann", "/", {}, {}, {}, {{"ann", "ann-secret", true}, {"S1", "s1-secret", false}}, {}}};
  const auto plan = plan_identities(source, {}, {});
  EXPECT_EQ(steps_of(plan),
            (lines{"CreateUser user ann", "CreateAccessKey user ann: access key ann",
                   "CreateAccessKey user ann: access key S1", "UpdateAccessKey user ann: access key S1: disabled"}));
  EXPECT_EQ(value_of(plan.steps[1], "SecretAccessKey"), "ann-secret");
  identity_set target;
  target.users = {{"ann", "/", {}, {}, {}, {{"ann", {}, false}, {"S1", {}, true}}, {}}};
  const auto again = plan_identities(source, target, {});
  EXPECT_EQ(steps_of(again), lines{"UpdateAccessKey user ann: access key S1: disabled"});
  EXPECT_EQ(texts_of(again.differences), lines{"user ann: access key ann: is disabled in the target"});
}

TEST(identity_plan, makes_keys_only_when_told_to_and_only_once) {
  identity_set source;
  source.users = {{"ann", "/", {}, {}, {}, {{"AKIA1", {}, true}}, {}},
                  {"off", "/", {}, {}, {}, {{"AKIA2", {}, false}}, {}}};
  EXPECT_EQ(plan_identities(source, {}, {}).left.size(), 2u);
  EXPECT_EQ(plan_identities(source, {}, {.make_keys = true}).users_for_keys, lines{"ann"});
  identity_set target;
  target.users = {{"ann", "/", {}, {}, {}, {{"AKIA9", {}, true}}, {}}};
  EXPECT_EQ(plan_identities(source, target, {.make_keys = true}).users_for_keys, lines{});
}

} // namespace cairn::cli::identity_plan_test
