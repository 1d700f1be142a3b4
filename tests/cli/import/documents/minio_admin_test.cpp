#include "cli/import/documents/minio_admin.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::minio_admin_test {

http_response answer_with(unsigned status, std::string body) {
  http_response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

TEST(minio_admin, requests_have_a_payload_that_the_signature_covers) {
  EXPECT_EQ(minio_identities_request().target, "/minio/admin/v3/export-iam");
  EXPECT_EQ(minio_quota_request("a.b-c&d").target, "/minio/admin/v3/get-bucket-quota?bucket=a.b-c%26d");
  for (const auto& request : {minio_identities_request(), minio_quota_request("a")}) {
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.payload, "");
  }
}

TEST(minio_admin, tells_a_quota_with_the_command_that_sets_it) {
  for (const auto* body : {R"({"size":1073741824,"rate":0,"requests":0,"quotatype":"hard"})",
                           R"({"quota":1073741824,"quotatype":"hard"})"}) {
    const auto quota = read_minio_quota(answer_with(200, body), "photos");
    ASSERT_TRUE(quota) << body;
    EXPECT_EQ(quota->what, setting_outcome::kind::left_behind);
    EXPECT_EQ(quota->setting, "quota");
    EXPECT_EQ(quota->why, "1.0 GiB; `cairn bucket quota photos --bytes 1073741824` sets it");
  }
  EXPECT_TRUE(read_minio_quota(answer_with(200, R"({"size":18446744073709551615})"), "a"));
}

TEST(minio_admin, tells_nothing_when_there_is_no_quota) {
  for (const auto* body : {"null", "{}", R"({"size":0,"rate":0})", R"({"size":-1})", R"({"size":"much"})"})
    EXPECT_FALSE(read_minio_quota(answer_with(200, body), "a")) << body;
  EXPECT_FALSE(read_minio_quota(
      answer_with(
          404, R"({"Code":"XMinioAdminNoSuchQuotaConfiguration","Message":"The quota configuration does not exist"})"),
      "a"));
}

TEST(minio_admin, says_why_a_quota_is_not_readable) {
  const auto denied = read_minio_quota(answer_with(403, R"({"Code":"AccessDenied","Message":"Access Denied."})"), "a");
  ASSERT_TRUE(denied);
  EXPECT_EQ(denied->what, setting_outcome::kind::unreadable);
  EXPECT_EQ(denied->why, "the source: AccessDenied: Access Denied.");
  for (const auto& other : {answer_with(404, "<Error><Code>NoSuchKey</Code></Error>"), answer_with(200, "<html/>")}) {
    const auto unreadable = read_minio_quota(other, "a");
    ASSERT_TRUE(unreadable);
    EXPECT_EQ(unreadable->what, setting_outcome::kind::unreadable);
  }
}

} // namespace cairn::cli::minio_admin_test
