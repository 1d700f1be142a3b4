#include "net/s3/request.hpp"

#include "net/s3/access.hpp"
#include "tests/net/s3/operation_named.hpp"

#include <gtest/gtest.h>

namespace cairn::net::request_test {

using boost::beast::http::fields;
constexpr std::uint64_t object_size_max = 1000;

request put_request_of(const fields& headers) {
  request r;
  r.operation = &operation_named("begin_upload"); // PutObject would add a checksum
  r.target.bucket = "files";
  r.target.key = "k";
  grant_by_configuration(r);
  read_conditions(headers, r);
  return r;
}

put_order accepted(const fields& headers, std::optional<std::uint64_t> length = 10) {
  auto order = read_put(headers, put_request_of(headers), length, object_size_max);
  EXPECT_TRUE(std::holds_alternative<put_order>(order));
  return std::get<put_order>(order);
}

s3_error refused(const fields& headers, std::optional<std::uint64_t> length = 10) {
  auto order = read_put(headers, put_request_of(headers), length, object_size_max);
  EXPECT_TRUE(std::holds_alternative<s3_error>(order));
  return std::holds_alternative<s3_error>(order) ? std::get<s3_error>(order) : s3_error{0, ""};
}

fields one(std::string_view name, std::string_view value) {
  fields headers;
  headers.insert(std::string{name}, std::string{value});
  return headers;
}

TEST(put_order, may_be_public_only_if_its_sender_owns_the_bucket) {
  using namespace storage::metadata;
  const auto put = [](authority by, std::uint8_t held, const fields& headers) {
    auto r = put_request_of(headers);
    r.by = std::move(by);
    r.by.asked = std::make_shared<const asked_access>(asked_access{.actions = {storage::policy::action::put_object}});
    bucket_row bucket;
    bucket.id = 7;
    r.bucket = std::make_shared<const bucket_row>(std::move(bucket));
    access_key_row sender;
    if (held != 0) sender.grants = {{7, held}};
    if (!r.by.key.empty()) r.key = std::make_shared<const access_key_row>(std::move(sender));
    return read_put(headers, r, 10, object_size_max);
  };
  const auto code = [&](const authority& by, std::uint8_t held, const fields& headers) {
    const auto order = put(by, held, headers);
    const auto* refused = std::get_if<s3_error>(&order);
    return refused ? std::string{refused->code} : "";
  };
  const authority key{allowed_by::key, "CK1", rights::write, 7, 0}, anybody{allowed_by::anybody, "", 0, 7, 0};
  for (const auto* acl : {"public-read", "public-read-write"}) {
    EXPECT_EQ(code(key, rights::read | rights::write, one("x-amz-acl", acl)), "AccessDenied");
    EXPECT_EQ(code(anybody, 0, one("x-amz-acl", acl)), "AccessDenied");
    EXPECT_EQ(code(anybody, rights::owner, one("x-amz-acl", acl)), "AccessDenied");
    EXPECT_EQ(code(key, rights::write | rights::owner, one("x-amz-acl", acl)), "");
  }
  EXPECT_EQ(code(key, rights::read | rights::write, one("x-amz-grant-read", "id=CK2")), "AccessDenied");
  EXPECT_EQ(code(anybody, 0, one("x-amz-acl", "authenticated-read")), "AccessDenied");
  EXPECT_EQ(code(key, rights::all, one("x-amz-grant-read", "id=CK2")), "");
  for (const auto* acl : {"private", "bucket-owner-full-control", "bucket-owner-read"}) {
    EXPECT_EQ(code(key, rights::write, one("x-amz-acl", acl)), "");
    EXPECT_EQ(code(anybody, 0, one("x-amz-acl", acl)), "");
  }
  EXPECT_EQ(code(anybody, 0, one("x-amz-tagging", "a=b")), "AccessDenied");
  EXPECT_EQ(code(key, rights::write, one("x-amz-tagging", "a=b")), "");
  const auto published = put(key, rights::all, one("x-amz-acl", "public-read"));
  EXPECT_EQ(std::get<put_order>(published).put.by.rights, rights::write | rights::owner);
  EXPECT_EQ(std::get<put_order>(put(key, rights::all, fields{})).put.by.rights, rights::write);
}

TEST(put_order, of_a_part_has_no_attributes) {
  using namespace storage::metadata;
  auto r = put_request_of({});
  r.operation = &operation_named("put_part");
  r.by = {allowed_by::key, "CK1", rights::write, 7, 0};
  for (const auto* acl : {"public-read", "everybody"}) {
    const auto order = read_put(one("x-amz-acl", acl), r, 10, object_size_max);
    ASSERT_TRUE(std::holds_alternative<put_order>(order)) << acl;
    EXPECT_FALSE(std::get<put_order>(order).put.extras.public_read);
  }
}

TEST(put_order, of_a_copy_has_tags_only_if_they_replace_those_of_its_source) {
  auto headers = one("x-amz-copy-source", "/other/from");
  headers.insert("x-amz-tagging", "a=b");
  EXPECT_TRUE(accepted(headers).put.extras.tags.empty());
  headers.insert("x-amz-tagging-directive", "REPLACE");
  EXPECT_EQ(accepted(headers).put.extras.tags.size(), 1u);
  headers.set("x-amz-tagging", "a=b&a=c");
  EXPECT_EQ(refused(headers).code, "InvalidTag");
}

TEST(put_order, has_the_object_lock_of_its_headers) {
  using namespace storage::metadata;
  auto headers = one("x-amz-object-lock-mode", "GOVERNANCE");
  EXPECT_EQ(refused(headers).code, "InvalidArgument");
  headers.insert("x-amz-object-lock-retain-until-date", "2030-01-01T00:00:00Z");
  headers.insert("X-Amz-Object-Lock-Legal-Hold", "ON");
  EXPECT_EQ(accepted(headers).put.extras.lock,
            (object_lock{{retention_mode::governance, 1'893'456'000'000}, legal_hold::on}));
  EXPECT_TRUE(accepted({}).put.extras.lock.empty());
  auto late = put_request_of(headers);
  asked_access asked;
  asked.with.time = 1'893'456'000'000;
  late.by.asked = std::make_shared<const asked_access>(asked);
  EXPECT_EQ(std::get<s3_error>(read_put(headers, late, 10, object_size_max)).code, "InvalidArgument");
}

TEST(request, joins_repeated_conditions) {
  fields headers;
  headers.insert("If-None-Match", "\"a\"");
  headers.insert("if-none-match", "\"b\"");
  request r;
  read_conditions(headers, r);
  EXPECT_EQ(r.conditions.if_none_match, "\"a\", \"b\"");
}

TEST(request, ignores_ranges_that_are_given_more_than_once) {
  fields headers;
  for (int i = 0; i < 3; ++i) {
    headers.insert("Range", "bytes=0-0");
    request r;
    read_conditions(headers, r);
    EXPECT_EQ(r.range.has_value(), i == 0) << i;
  }
}

TEST(put_order, keeps_the_headers_that_belong_to_the_object) {
  fields headers;
  headers.insert("Content-Type", "text/plain");
  headers.insert("Cache-Control", "no-cache");
  headers.insert("Cache-Control", "private");
  headers.insert("content-disposition", "attachment");
  headers.insert("X-Amz-Meta-Colour", "blue");
  headers.insert("x-amz-meta-colour", "green");
  headers.insert("User-Agent", "none of its business");
  const auto order = accepted(headers);
  using pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(order.put.headers.content_type, "text/plain");
  EXPECT_EQ(order.put.headers.user, (pairs{{"colour", "blue, green"}}));
  auto standard = order.put.headers.standard;
  std::sort(standard.begin(), standard.end());
  EXPECT_EQ(standard, (pairs{{"cache-control", "no-cache, private"}, {"content-disposition", "attachment"}}));
  EXPECT_EQ(order.put.length, 10u);
}

TEST(put_order, bounds_user_metadata) {
  EXPECT_EQ(refused(one("x-amz-meta-k", std::string(2048, 'v'))).code, "MetadataTooLarge");
  EXPECT_EQ(accepted(one("x-amz-meta-k", std::string(2047, 'v'))).put.headers.user.size(), 1u);
}

TEST(put_order, reads_content_md5) {
  EXPECT_EQ(accepted(one("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")).content_md5->front(), 0xd4);
  for (const auto* bad :
       {"", "x", "d41d8cd98f00b204e9800998ecf8427e", "1B2M2Y8AsgTpgAmY7PhCfg", "1B2M2Y8AsgTpgAmY7PhCfg=!"}) {
    EXPECT_EQ(refused(one("Content-MD5", bad)).code, "InvalidDigest") << bad;
  }
}

TEST(put_order, refuses_what_would_be_stored_wrongly) {
  EXPECT_EQ(refused(one("x-amz-copy-source-if-match", "x")).status, 501u) << "without a source";
  EXPECT_EQ(refused(one("x-amz-tagging", "a=b&a=c")).code, "InvalidTag");
  EXPECT_EQ(refused(one("Content-Range", "bytes 0-1/2")).status, 501u);
  EXPECT_EQ(refused(one("If-None-Match", ",")).status, 501u);
  EXPECT_EQ(refused(one("If-None-Match", "\"a\", \"b\"")).status, 501u);
  EXPECT_EQ(refused({}, object_size_max + 1).status, 413u);
}

TEST(put_order, takes_signed_requests_and_conditions) {
  EXPECT_EQ(accepted(one("x-amz-content-sha256", "UNSIGNED-PAYLOAD")).put.bucket, "files");
  EXPECT_TRUE(accepted(one("If-None-Match", "*")).put.condition.if_absent);
  EXPECT_EQ(accepted(one("If-None-Match", "\"e\"")).put.condition.if_other, "e");
  EXPECT_EQ(accepted(one("If-Match", "\"e\"")).put.condition.if_match, "e");
}

TEST(put_order, has_one_storage_class_and_one_access_control_list) {
  EXPECT_EQ(accepted(one("x-amz-storage-class", "STANDARD")).put.bucket, "files");
  EXPECT_EQ(accepted(one("x-amz-storage-class", "STANDARD_IA")).put.bucket, "files");
  EXPECT_EQ(refused(one("x-amz-storage-class", "FAST")).code, "InvalidStorageClass");
  EXPECT_EQ(refused(one("x-amz-storage-class", "GLACIER")).code, "InvalidStorageClass");
  EXPECT_EQ(accepted(one("x-amz-acl", "private")).put.bucket, "files");
  EXPECT_TRUE(accepted(one("x-amz-acl", "authenticated-read")).put.extras.grants);
  EXPECT_EQ(accepted(one("x-amz-grant-read", "id=1")).put.extras.grants->front().id, "1");
  EXPECT_EQ(refused(one("x-amz-acl", "aws-exec-read")).code, "NotImplemented");
  auto both = one("x-amz-acl", "private");
  both.insert("x-amz-grant-read", "id=1");
  EXPECT_EQ(refused(both).code, "InvalidRequest");
}

TEST(put_order, has_announced_checksums_checked) {
  EXPECT_EQ(accepted({}).put.check, nullptr);
  EXPECT_NE(accepted(one("x-amz-checksum-crc32", "y/Q5Jg==")).put.check, nullptr);
  EXPECT_EQ(refused(one("x-amz-checksum-crc32", "y")).code, "InvalidRequest");
}

} // namespace cairn::net::request_test
