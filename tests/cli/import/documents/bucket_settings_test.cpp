#include "cli/import/documents/bucket_settings.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::bucket_settings_test {

using kind = setting_outcome::kind;

setting_answer answer(std::string_view query, unsigned status, const std::string& body) {
  http_response response;
  response.status = status;
  response.body = body;
  return read_setting(query, response);
}

void expect_nothing(const setting_answer& got) {
  EXPECT_FALSE(got.found);
  EXPECT_FALSE(got.outcome);
}

void expect_outcome(const setting_answer& got, kind what) {
  EXPECT_FALSE(got.found);
  ASSERT_TRUE(got.outcome);
  EXPECT_EQ(got.outcome->what, what);
}

const std::string absent = "<Error><Code>NoSuchWhatever</Code></Error>";

TEST(bucket_settings, are_sent_as_the_source_answers_them) {
  const std::string lifecycle = "<LifecycleConfiguration><Rule><ID>x</ID></Rule></LifecycleConfiguration>";
  const auto got = answer("lifecycle", 200, lifecycle);
  ASSERT_TRUE(got.found);
  EXPECT_EQ(got.found->document, lifecycle);
  EXPECT_EQ(answer("policy", 200, "{\"Version\":\"2012-10-17\"}").found->name, "policy");
}

TEST(bucket_settings, that_a_bucket_has_not_are_none) {
  for (const auto query : setting_queries()) expect_nothing(answer(query, 404, absent));
  expect_nothing(answer("tagging", 200, "<Tagging><TagSet/></Tagging>"));
  expect_nothing(answer("cors", 200, "<CORSConfiguration/>"));
  expect_nothing(answer("logging", 200, "<BucketLoggingStatus/>"));
  expect_nothing(answer("requestPayment", 200, "<R/>"));
  expect_nothing(answer("replication", 200, "<ReplicationConfiguration><Role/></ReplicationConfiguration>"));
}

TEST(bucket_settings, a_missing_bucket_is_no_missing_setting) {
  expect_outcome(answer("lifecycle", 404, "<Error><Code>NoSuchBucket</Code></Error>"), kind::unreadable);
}

TEST(bucket_settings, that_cairn_has_not_are_said_to_stay_behind) {
  expect_outcome(answer("logging", 200, "<BucketLoggingStatus><LoggingEnabled/></BucketLoggingStatus>"),
                 kind::left_behind);
  expect_outcome(answer("requestPayment", 200,
                        "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>"),
                 kind::left_behind);
  for (const std::string query : {"website", "object-lock", "ownershipControls", "acl", "logging"})
    expect_nothing(answer(query, 501, absent));
}

TEST(bucket_settings, that_the_source_does_not_tell_are_said_to_be_unreadable) {
  expect_outcome(answer("lifecycle", 501, absent), kind::unreadable);
  expect_outcome(answer("lifecycle", 403, absent), kind::unreadable);
  expect_outcome(answer("website", 403, absent), kind::unreadable);
  expect_outcome(answer("lifecycle", 200, "<ListBucketResult/>"), kind::unreadable);
  expect_outcome(answer("policy", 200, "<ListBucketResult/>"), kind::unreadable);
}

TEST(bucket_settings, tags_of_the_provider_stay_behind) {
  const auto tags = [](const std::string& keys) {
    std::string set;
    for (const char key : keys)
      set += "<Tag><Key>" + std::string(key == 'a' ? "aws:stack" : "mine") + "</Key><Value>v&amp;w</Value></Tag>";
    return "<Tagging><TagSet>" + set + "</TagSet></Tagging>";
  };
  expect_outcome(answer("tagging", 200, tags("a")), kind::left_behind);
  const auto both = answer("tagging", 200, tags("am"));
  ASSERT_TRUE(both.found && both.outcome);
  EXPECT_EQ(both.outcome->what, kind::left_behind);
  EXPECT_EQ(both.found->document.find("aws:"), std::string::npos);
  EXPECT_NE(both.found->document.find("<Key>mine</Key><Value>v&amp;w</Value>"), std::string::npos);
  EXPECT_FALSE(answer("tagging", 200, tags("m")).outcome);
  EXPECT_EQ(answer("tagging", 200, tags("m")).found->document, tags("m"));
}

TEST(bucket_settings, an_access_control_list_matters_when_it_grants_something_to_others) {
  const auto list = [](const std::string& grants) {
    return "<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList>" + grants +
           "</AccessControlList></AccessControlPolicy>";
  };
  const std::string own = "<Grant><Grantee><ID>me</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>";
  const std::string all = "<Grant><Grantee><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee>"
                          "<Permission>READ</Permission></Grant>";
  const std::string bob = "<Grant><Grantee><ID>bob</ID></Grantee><Permission>READ</Permission></Grant>";
  expect_nothing(answer("acl", 200, list(own)));
  const auto open = answer("acl", 200, list(own + all));
  ASSERT_TRUE(open.found);
  EXPECT_FALSE(open.outcome);
  EXPECT_NE(open.found->document.find("<ID>cairn</ID>"), std::string::npos);
  expect_outcome(answer("acl", 200, list(own + bob)), kind::left_behind);
  const auto both = answer("acl", 200, list(own + bob + all));
  ASSERT_TRUE(both.found && both.outcome);
  EXPECT_EQ(both.outcome->why, "READ of bob");
}

TEST(bucket_settings, lifecycles_lose_their_transitions) {
  const auto some =
      answer("lifecycle", 200,
             "<LifecycleConfiguration><Rule><ID>x</ID><Transition/><Expiration><Days>1</Days></Expiration>"
             "</Rule></LifecycleConfiguration>");
  ASSERT_TRUE(some.found && some.outcome);
  EXPECT_EQ(some.outcome->why, "rule x");
  expect_outcome(
      answer("lifecycle", 200, "<LifecycleConfiguration><Rule><ID>x</ID><Transition/></Rule></LifecycleConfiguration>"),
      kind::left_behind);
}

TEST(bucket_settings, policies_name_users_of_cairns_account) {
  http_response response;
  response.status = 200;
  response.body = R"({"Statement":[{"Principal":{"AWS":["arn:aws:iam::123456789012:user/a","arn:aws:iam::2:root"]}}]})";
  const auto got = read_setting("policy", response, "123456789012");
  ASSERT_TRUE(got.found && got.outcome);
  EXPECT_NE(got.found->document.find("arn:aws:iam::000000000000:user/a"), std::string::npos);
  EXPECT_EQ(got.outcome->why, "arn:aws:iam::2:root");
}

TEST(bucket_settings, object_lock_is_enabled_before_its_default_retention) {
  http_response response;
  response.status = 200;
  response.body = object_lock_xml();
  EXPECT_TRUE(has_object_lock(response));
  EXPECT_TRUE(answer("object-lock", 200, response.body).found);
  response.status = 404;
  EXPECT_FALSE(has_object_lock(response));
  expect_nothing(answer("object-lock", 404, absent));
}

TEST(bucket_settings, the_public_access_block_is_read_from_the_answers_of_s3_and_ceph) {
  const auto block = [](const std::string& root, const std::string& value) {
    return "<" + root + "><BlockPublicAcls>" + value + "</BlockPublicAcls></" + root + ">";
  };
  for (const std::string root : {"PublicAccessBlockConfiguration", "BlockPublicAccessBlockConfiguration"}) {
    expect_nothing(answer("publicAccessBlock", 200, block(root, "false")));
    const auto got = answer("publicAccessBlock", 200, block(root, "true"));
    ASSERT_TRUE(got.found);
    EXPECT_NE(got.found->document.find("<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false<"),
              std::string::npos);
    EXPECT_TRUE(got.found->document.starts_with("<PublicAccessBlockConfiguration "));
  }
}

TEST(versioning_state, is_read_and_written) {
  EXPECT_EQ(parse_versioning("<VersioningConfiguration/>").value(), versioning_state::none);
  for (const auto state : {versioning_state::enabled, versioning_state::suspended})
    EXPECT_EQ(parse_versioning(versioning_xml(state)).value(), state);
  EXPECT_FALSE(parse_versioning("<ListBucketResult/>"));
}

} // namespace cairn::cli::bucket_settings_test
