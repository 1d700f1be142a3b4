#include "net/s3/header_rules.hpp"

#include "net/wire/grammar/ascii.hpp"
#include "tests/net/s3/operation_named.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cairn::net::header_rules_test {

// The message of the refusal; empty: it is not refused.
std::string refused(std::string_view name, std::string_view operation, std::string_view query = {}) {
  const auto& row = operation_named(operation);
  const auto route = std::ranges::find(row.routes, query, &operation_route::query);
  const auto problem = refused_header(name, row, route == row.routes.end() ? nullptr : route);
  if (!problem) return {};
  EXPECT_EQ(problem->status, 501u) << name;
  return problem->message;
}

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
                           "x-amz-grant-sparkle", "x-amz-object-lock-token", "x-amz-website-redirect-location",
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
  EXPECT_EQ(refused("x-amz-bypass-governance-retention", "write_lock", "retention"), "");
  EXPECT_NE(refused("x-amz-bypass-governance-retention", "write_lock", "legal-hold"), "");
  EXPECT_NE(refused("x-amz-bypass-governance-retention", "put_object"), "");
  EXPECT_EQ(refused("If-Match", "put_object"), "");
  EXPECT_EQ(refused("If-Match", "get_object"), "");
  EXPECT_NE(refused("If-None-Match", "put_part"), "");
  EXPECT_NE(refused("If-Match", "write_setting"), "");
}

TEST(header_rules, accept_attributes_of_an_object_where_one_is_begun) {
  for (const auto* name : {"x-amz-acl", "x-amz-grant-read", "X-Amz-Grant-Full-Control", "x-amz-meta-a",
                           "x-amz-storage-class", "x-amz-tagging"}) {
    for (const auto* operation : {"put_object", "post_object", "copy_object", "begin_upload"})
      EXPECT_EQ(refused(name, operation), "") << name << ' ' << operation;
    for (const auto* operation : {"delete_object", "write_tags", "list_objects"})
      EXPECT_NE(refused(name, operation), "") << name << ' ' << operation;
  }
  for (const auto* name : {"x-amz-meta-a", "x-amz-storage-class", "x-amz-tagging"})
    EXPECT_NE(refused(name, "put_part"), "") << name;
  for (const auto* name : {"x-amz-metadata-directive", "x-amz-tagging-directive"})
    for (const auto* operation : {"copy_object", "begin_upload", "copy_part"})
      EXPECT_EQ(refused(name, operation), "") << name << ' ' << operation;
}

TEST(header_rules, ignore_the_list_of_an_object_with_its_parts_and_downloads) {
  for (const auto* operation : {"put_part", "copy_part", "complete_upload", "get_object"})
    EXPECT_EQ(refused("x-amz-acl", operation), "") << operation;
}

TEST(header_rules, accept_the_header_of_a_setting_with_that_setting) {
  EXPECT_EQ(refused("x-amz-acl", "write_setting", "acl"), "");
  EXPECT_NE(refused("x-amz-acl", "write_setting", "cors"), "");
  EXPECT_EQ(refused("x-amz-grant-write-acp", "write_setting", "acl"), "");
  EXPECT_NE(refused("x-amz-grant-write-acp", "write_setting", "cors"), "");
  EXPECT_EQ(refused("x-amz-grant-write", "create_bucket"), "");
  EXPECT_EQ(refused("x-amz-transition-default-minimum-object-size", "write_setting", "lifecycle"), "");
  EXPECT_NE(refused("x-amz-transition-default-minimum-object-size", "write_setting", "acl"), "");
  EXPECT_EQ(refused("x-amz-confirm-remove-self-bucket-access", "write_setting", "policy"), "");
  EXPECT_NE(refused("x-amz-confirm-remove-self-bucket-access", "write_setting", "cors"), "");
}

TEST(header_rules, refuse_a_second_value_where_one_counts) {
  const auto twice = [](std::string_view name) {
    boost::beast::http::fields fields;
    fields.insert("Host", "a");
    fields.insert(std::string{name}, "1");
    fields.insert("Accept", "b");
    EXPECT_FALSE(refused_repetition(fields)) << name;
    fields.insert(ascii_lower(name), "1");
    const auto problem = refused_repetition(fields);
    if (problem) {
      EXPECT_EQ(problem->code, "InvalidArgument");
      EXPECT_NE(problem->message.find(ascii_lower(name)), std::string::npos) << problem->message;
    }
    return problem.has_value();
  };
  for (const auto* name :
       {"X-Amz-Acl", "x-amz-tagging", "x-amz-expected-bucket-owner", "x-amz-copy-source", "x-amz-metadata-directive",
        "x-amz-copy-source-if-match", "x-amz-sparkle", "Content-MD5", "Content-Type", "If-Modified-Since", "Referer"})
    EXPECT_TRUE(twice(name)) << name;
  for (const auto* name : {"x-amz-meta-a", "x-amz-object-attributes", "x-amz-optional-object-attributes", "If-Match",
                           "If-None-Match", "Cache-Control", "Content-Encoding", "Accept"})
    EXPECT_FALSE(twice(name)) << name;
}

TEST(header_rules, refuse_a_bypass_that_is_neither_true_nor_false) {
  const auto problem = [](std::string_view value) {
    boost::beast::http::fields fields;
    fields.insert("X-Amz-Bypass-Governance-Retention", boost::beast::string_view{value.data(), value.size()});
    return refused_headers(fields, operation_named("delete_object"));
  };
  for (const auto* value : {"true", "True", "false"}) EXPECT_FALSE(problem(value)) << value;
  for (const auto* value : {"", "perhaps", "1", "true, true"}) {
    const auto refusal = problem(value);
    ASSERT_TRUE(refusal) << value;
    EXPECT_EQ(refusal->code, "InvalidArgument") << value;
  }
}

TEST(header_rules, do_not_judge_a_preflight) {
  boost::beast::http::fields fields;
  fields.insert("x-amz-sparkle", "1");
  EXPECT_FALSE(refused_headers(fields, operation_named("options")));
  EXPECT_TRUE(refused_headers(fields, operation_named("get_object")));
}

} // namespace cairn::net::header_rules_test
