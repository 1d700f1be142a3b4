#include "net/admin/objects/object_rights.hpp"

#include "net/gateway/routes/operation_table.hpp"

#include <gtest/gtest.h>

namespace cairn::net::object_rights_test {

namespace metadata = storage::metadata;

constexpr std::string_view all = "list list_versions read write delete delete_versions read_tags write_tags ";

metadata::bucket_row bucket_with(std::string_view statement = {}) {
  metadata::bucket_row row;
  row.id = 7;
  row.name = "files";
  if (!statement.empty())
    row.policy = metadata::bucket_policy{R"({"Version":"2012-10-17","Statement":[)" + std::string{statement} + "]}"};
  return row;
}

std::string rights_of(const metadata::bucket_row& bucket, int rights, std::string_view object = "",
                      std::string_view address = "10.1.2.3") {
  auto row = std::make_shared<metadata::access_key_row>();
  row->id = "CK1";
  if (rights > 0) row->grants.push_back({7, static_cast<std::uint8_t>(rights)});
  const std::shared_ptr<const metadata::access_key_row> key = rights < 0 ? nullptr : row; // null: the root key
  std::string out;
  for (const auto& [name, has] : object_rights(
           {key, "CK1", bucket, object, {address, false, 1'796'000'000'000, "us-east-1"}, "a browser", s3_operations}))
    if (has) out.append(name).append(" ");
  return out;
}

TEST(object_rights, are_those_of_the_key) {
  using namespace metadata::rights;
  const auto bucket = bucket_with();
  EXPECT_EQ(rights_of(bucket, 0), "");
  EXPECT_EQ(rights_of(bucket, read), "list list_versions read read_tags ");
  EXPECT_EQ(rights_of(bucket, write), "write delete write_tags ");
  EXPECT_EQ(rights_of(bucket, read | write | owner), all);
  EXPECT_EQ(rights_of(bucket, -1), all);
}

TEST(object_rights, follow_the_policy_of_the_bucket) {
  using namespace metadata::rights;
  const auto denies = bucket_with(
      R"({"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::files/kept/*"})");
  EXPECT_EQ(rights_of(denies, -1, "kept/a"), "list list_versions read write delete_versions read_tags write_tags ");
  EXPECT_EQ(rights_of(denies, -1, "other"), all);
  const auto allows = bucket_with(
      R"({"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::files/open/*"})");
  EXPECT_EQ(rights_of(allows, 0, "open/a"), "read write ");
  EXPECT_EQ(rights_of(allows, 0, "a"), "");
  const auto from = bucket_with(
      R"({"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::files","arn:aws:s3:::files/*"],)"
      R"("Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}})");
  EXPECT_EQ(rights_of(from, read, "a", "192.0.2.7"), "list list_versions read read_tags ");
  EXPECT_EQ(rights_of(from, read, "a", "198.51.100.1"), "") << "the browser's address counts, as in its requests";
}

TEST(object_rights, count_what_depends_on_the_object) {
  const auto bucket =
      bucket_with(R"({"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::files/*",)"
                  R"("Condition":{"StringEquals":{"s3:ExistingObjectTag/a":"b"}}})");
  EXPECT_EQ(rights_of(bucket, 0, "k"), "read ");
}

} // namespace cairn::net::object_rights_test
