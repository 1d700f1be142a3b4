#include "net/s3/header_rules.hpp"

#include "tests/net/s3/operation_named.hpp"

#include <gtest/gtest.h>

namespace cairn::net {

namespace {

// The message of the refusal; empty: it is not refused.
std::string refused(std::string_view name, std::string_view operation) {
  const auto problem = refused_header(name, operation_named(operation));
  if (!problem) return {};
  EXPECT_EQ(problem->status, 501u) << name;
  return problem->message;
}

} // namespace

TEST(header_rules, refuse_by_name_what_no_rule_knows) {
  EXPECT_EQ(refused("X-Amz-Sparkle", "put_object"), "The header x-amz-sparkle with this request is not implemented.");
  EXPECT_NE(refused("x-amz-checksum-md5", "put_object"), "");
  EXPECT_NE(refused("x-amz-acls", "put_object"), "");
  EXPECT_NE(refused("x-amz-", "get_object"), "");
  EXPECT_EQ(refused("x-custom", "put_object"), "");
  EXPECT_EQ(refused("x-amzn-trace-id", "put_object"), "");
}

TEST(header_rules, refuse_what_is_not_carried_out_with_any_operation) {
  for (const auto* name : {"x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-key",
                           "x-amz-grant-read", "x-amz-object-lock-token", "x-amz-website-redirect-location",
                           "x-amz-write-offset-bytes", "x-amz-copy-source-server-side-encryption-customer-key"})
    for (const auto* operation : {"get_object", "put_object", "copy_object"})
      EXPECT_NE(refused(name, operation), "") << name;
}

TEST(header_rules, refuse_where_it_would_be_dropped_what_another_operation_carries_out) {
  EXPECT_EQ(refused("x-amz-copy-source", "copy_object"), "");
  EXPECT_NE(refused("x-amz-copy-source", "begin_upload"), "");
  EXPECT_EQ(refused("x-amz-copy-source-range", "copy_part"), "");
  EXPECT_NE(refused("x-amz-copy-source-range", "copy_object"), "");
  EXPECT_NE(refused("x-amz-copy-source-if-match", "put_object"), "");
  EXPECT_EQ(refused("x-amz-if-match-size", "delete_object"), "");
  EXPECT_NE(refused("x-amz-if-match-size", "put_object"), "");
  EXPECT_NE(refused("x-amz-object-ownership", "put_object"), "");
  for (const auto* operation : {"put_object", "post_object", "copy_object", "begin_upload"})
    for (const auto* lock :
         {"x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold"})
      EXPECT_EQ(refused(lock, operation), "");
  EXPECT_NE(refused("x-amz-object-lock-mode", "put_part"), "");
  EXPECT_EQ(refused("x-amz-bypass-governance-retention", "write_lock"), "");
  EXPECT_NE(refused("x-amz-bypass-governance-retention", "put_object"), "");
  EXPECT_EQ(refused("If-Match", "put_object"), "");
  EXPECT_EQ(refused("If-Match", "get_object"), "");
  EXPECT_NE(refused("If-None-Match", "put_part"), "");
  EXPECT_NE(refused("If-Match", "write_setting"), "");
}

TEST(header_rules, ignore_what_s3_reads_with_other_operations_only) {
  EXPECT_EQ(refused("x-amz-acl", "put_part"), "");
  EXPECT_EQ(refused("x-amz-meta-a", "get_object"), "");
  EXPECT_EQ(refused("x-amz-metadata-directive", "put_object"), "");
}

TEST(header_rules, do_not_judge_a_preflight) {
  boost::beast::http::fields fields;
  fields.insert("x-amz-sparkle", "1");
  EXPECT_FALSE(refused_headers(fields, operation_named("options")));
  EXPECT_TRUE(refused_headers(fields, operation_named("get_object")));
}

} // namespace cairn::net
