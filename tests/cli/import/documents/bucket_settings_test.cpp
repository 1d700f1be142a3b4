#include "cli/import/bucket_settings.hpp"

#include <gtest/gtest.h>

using namespace cairn;
using namespace cairn::cli;
using kind = setting_outcome::kind;

namespace {

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

} // namespace

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
  expect_outcome(answer("website", 200, "<WebsiteConfiguration><IndexDocument/></WebsiteConfiguration>"),
                 kind::left_behind);
  expect_outcome(answer("requestPayment", 200,
                        "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>"),
                 kind::left_behind);
  expect_nothing(answer("website", 501, absent));
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
  expect_nothing(answer("acl", 200, list(own)));
  expect_outcome(answer("acl", 200, list(own + all)), kind::left_behind);
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
