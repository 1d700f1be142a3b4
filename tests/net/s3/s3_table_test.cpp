// docs/s3.md against the router: the page names every operation of the S3 API reference once, and tells the truth.
#include "net/gateway/routes/operation_table.hpp"
#include "net/s3/request.hpp"
#include "net/s3/router.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace cairn::net::s3_table_test {

constexpr std::array operations{
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBucket",
    "CreateBucketMetadataConfiguration",
    "CreateBucketMetadataTableConfiguration",
    "CreateMultipartUpload",
    "CreateSession",
    "DeleteBucket",
    "DeleteBucketAnalyticsConfiguration",
    "DeleteBucketCors",
    "DeleteBucketEncryption",
    "DeleteBucketIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration",
    "DeleteBucketLifecycle",
    "DeleteBucketMetadataConfiguration",
    "DeleteBucketMetadataTableConfiguration",
    "DeleteBucketMetricsConfiguration",
    "DeleteBucketOwnershipControls",
    "DeleteBucketPolicy",
    "DeleteBucketReplication",
    "DeleteBucketTagging",
    "DeleteBucketWebsite",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "DeletePublicAccessBlock",
    "GetBucketAbac",
    "GetBucketAccelerateConfiguration",
    "GetBucketAcl",
    "GetBucketAnalyticsConfiguration",
    "GetBucketCors",
    "GetBucketEncryption",
    "GetBucketIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration",
    "GetBucketLifecycle",
    "GetBucketLifecycleConfiguration",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketMetadataConfiguration",
    "GetBucketMetadataTableConfiguration",
    "GetBucketMetricsConfiguration",
    "GetBucketNotification",
    "GetBucketNotificationConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
    "GetBucketReplication",
    "GetBucketRequestPayment",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetBucketWebsite",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectLockConfiguration",
    "GetObjectRetention",
    "GetObjectTagging",
    "GetObjectTorrent",
    "GetPublicAccessBlock",
    "HeadBucket",
    "HeadObject",
    "ListBucketAnalyticsConfigurations",
    "ListBucketIntelligentTieringConfigurations",
    "ListBucketInventoryConfigurations",
    "ListBucketMetricsConfigurations",
    "ListBuckets",
    "ListDirectoryBuckets",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "PostObject",
    "PutBucketAbac",
    "PutBucketAccelerateConfiguration",
    "PutBucketAcl",
    "PutBucketAnalyticsConfiguration",
    "PutBucketCors",
    "PutBucketEncryption",
    "PutBucketIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration",
    "PutBucketLifecycle",
    "PutBucketLifecycleConfiguration",
    "PutBucketLogging",
    "PutBucketMetricsConfiguration",
    "PutBucketNotification",
    "PutBucketNotificationConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketReplication",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutBucketWebsite",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectLockConfiguration",
    "PutObjectRetention",
    "PutObjectTagging",
    "PutPublicAccessBlock",
    "RenameObject",
    "RestoreObject",
    "SelectObjectContent",
    "UpdateBucketMetadataInventoryTableConfiguration",
    "UpdateBucketMetadataJournalTableConfiguration",
    "UpdateObjectEncryption",
    "UploadPart",
    "UploadPartCopy",
    "WriteGetObjectResponse",
};

struct table_row {
  std::string operation, method, target, header, answer;
};

std::string cell(std::string& line) {
  const auto end = line.find(" |");
  auto text = line.substr(0, end);
  line.erase(0, end == line.npos ? end : end + 3);
  std::erase(text, '`');
  return text;
}

std::vector<table_row> read_table() {
  std::ifstream page{CAIRN_SOURCE_DIR "/docs/s3.md"};
  std::vector<table_row> rows;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| ") || line.size() < 3 || line[2] < 'A' || line[2] > 'Z') continue;
    line.erase(0, 2);
    table_row row;
    row.operation = cell(line);
    auto request = cell(line);
    row.answer = cell(line);
    if (const auto plus = request.find(" + "); plus != request.npos) {
      row.header = request.substr(plus + 3);
      request.erase(plus);
    }
    row.method = request.substr(0, request.find(' '));
    row.target = request.substr(request.find(' ') + 1);
    rows.push_back(std::move(row));
  }
  return rows;
}

// 0: it is served.
unsigned refusal_of(const table_row& row) {
  request asked;
  asked.target = parse_s3_target(row.target).value();
  const auto routed = route(s3_operations, row.method, asked.target);
  if (routed.refused) return routed.refused->status;
  if (row.header.empty()) return 0;
  boost::beast::http::fields fields;
  const auto colon = row.header.find(": ");
  fields.insert(row.header.substr(0, colon), row.header.substr(colon + 2));
  const auto order = read_put(fields, asked, 0, 1000);
  const auto* refused = std::get_if<s3_error>(&order);
  return refused ? refused->status : 0;
}

TEST(s3_table, names_every_operation_once) {
  std::vector<std::string> named;
  for (const auto& row : read_table()) named.push_back(row.operation);
  std::sort(named.begin(), named.end());
  EXPECT_EQ(named, std::vector<std::string>(operations.begin(), operations.end()));
}

TEST(s3_table, tells_what_the_router_does) {
  for (const auto& row : read_table()) {
    ASSERT_TRUE(row.answer == "yes" || row.answer == "no" || row.answer == "difference") << row.operation;
    EXPECT_EQ(refusal_of(row), row.answer == "no" ? 501u : 0u)
        << row.operation << ": " << row.method << ' ' << row.target;
  }
}

} // namespace cairn::net::s3_table_test
