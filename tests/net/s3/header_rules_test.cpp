#include "net/s3/header_rules.hpp"

#include <gtest/gtest.h>

namespace cairn::net {

namespace {

// The message of the refusal; empty: it is not refused.
std::string refused(std::string_view name, http_operation operation) {
  const auto problem = refused_header(name, operation);
  if (!problem) return {};
  EXPECT_EQ(problem->status, 501u) << name;
  return problem->message;
}

} // namespace

TEST(header_rules, refuse_by_name_what_no_rule_knows) {
  EXPECT_EQ(refused("X-Amz-Sparkle", http_operation::put_object),
            "The header x-amz-sparkle with this request is not implemented.");
  EXPECT_NE(refused("x-amz-checksum-md5", http_operation::put_object), "");
  EXPECT_NE(refused("x-amz-acls", http_operation::put_object), "");
  EXPECT_NE(refused("x-amz-", http_operation::get_object), "");
  EXPECT_EQ(refused("x-custom", http_operation::put_object), "");
  EXPECT_EQ(refused("x-amzn-trace-id", http_operation::put_object), "");
}

TEST(header_rules, refuse_what_is_not_carried_out_with_any_operation) {
  for (const auto* name : {"x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-key",
                           "x-amz-grant-read", "x-amz-object-lock-mode", "x-amz-website-redirect-location",
                           "x-amz-write-offset-bytes", "x-amz-copy-source-server-side-encryption-customer-key"})
    for (const auto operation : {http_operation::get_object, http_operation::put_object, http_operation::copy_object})
      EXPECT_NE(refused(name, operation), "") << name;
}

TEST(header_rules, refuse_where_it_would_be_dropped_what_another_operation_carries_out) {
  EXPECT_EQ(refused("x-amz-copy-source", http_operation::copy_object), "");
  EXPECT_NE(refused("x-amz-copy-source", http_operation::begin_upload), "");
  EXPECT_EQ(refused("x-amz-copy-source-range", http_operation::copy_part), "");
  EXPECT_NE(refused("x-amz-copy-source-range", http_operation::copy_object), "");
  EXPECT_NE(refused("x-amz-copy-source-if-match", http_operation::put_object), "");
  EXPECT_EQ(refused("x-amz-if-match-size", http_operation::delete_object), "");
  EXPECT_NE(refused("x-amz-if-match-size", http_operation::put_object), "");
  EXPECT_NE(refused("x-amz-object-ownership", http_operation::put_object), "");
  EXPECT_EQ(refused("If-Match", http_operation::put_object), "");
  EXPECT_EQ(refused("If-Match", http_operation::get_object), "");
  EXPECT_NE(refused("If-None-Match", http_operation::put_part), "");
  EXPECT_NE(refused("If-Match", http_operation::write_setting), "");
}

TEST(header_rules, ignore_what_s3_reads_with_other_operations_only) {
  EXPECT_EQ(refused("x-amz-acl", http_operation::put_part), "");
  EXPECT_EQ(refused("x-amz-meta-a", http_operation::get_object), "");
  EXPECT_EQ(refused("x-amz-metadata-directive", http_operation::put_object), "");
}

TEST(header_rules, do_not_judge_a_preflight) {
  boost::beast::http::fields fields;
  fields.insert("x-amz-sparkle", "1");
  EXPECT_FALSE(refused_headers(fields, http_operation::options));
  EXPECT_TRUE(refused_headers(fields, http_operation::get_object));
}

} // namespace cairn::net
