#include "net/s3/object_answer.hpp"

#include <gtest/gtest.h>

namespace cairn::net::object_answer_test {

storage::metadata::object_row a_row(std::uint64_t size = 1000) {
  storage::metadata::object_row row;
  row.size = size;
  row.etag.digest.fill(0xab);
  row.modified = 784111777042;
  row.headers = {"text/plain", {{"cache-control", "no-cache"}}, {{"colour", "blue"}}};
  return row;
}

request a_request() {
  request r;
  r.target.bucket = "files";
  r.target.key = "k";
  r.basics.request_id = "00112233aabbccdd";
  return r;
}

request with_range(std::string range) {
  auto r = a_request();
  r.range = std::move(range);
  return r;
}

bool has_line(const object_answer& answer, const std::string& line) {
  return answer.plan.head.find("\r\n" + line + "\r\n") != std::string::npos;
}

std::uint64_t body_bytes(const object_answer& answer) {
  std::uint64_t bytes = 0;
  for (const auto& piece : answer.plan.body) {
    if (const auto* text = std::get_if<std::string>(&piece))
      bytes += text->size();
    else
      bytes += std::get<actors::byte_range>(piece).length;
  }
  return bytes;
}

// Whatever is answered, the head promises exactly the bytes of the body.
void expect_honest_length(const object_answer& answer) {
  EXPECT_TRUE(has_line(answer, "Content-Length: " + std::to_string(body_bytes(answer)))) << answer.plan.head;
  EXPECT_TRUE(answer.plan.head.ends_with("\r\n\r\n"));
}

TEST(object_answer, tells_of_a_lock_those_who_may_read_it) {
  using namespace storage::metadata;
  auto row = a_row();
  row.extras.lock = {{retention_mode::compliance, 1'893'456'000'000}, legal_hold::off};
  bucket_row bucket;
  bucket.id = 7;
  const auto told = [&](std::uint8_t rights, const std::string& policy) {
    auto r = a_request();
    access_key_row key;
    key.id = "CK1";
    key.grants = {{7, rights}};
    r.key = std::make_shared<const access_key_row>(key);
    asked_access asked;
    asked.actions = {storage::policy::action::get_object};
    asked.with.kind = storage::policy::sender::key;
    r.by = {allowed_by::key, "CK1", rights, 7, 0, std::make_shared<const asked_access>(asked)};
    bucket.policy = bucket_policy{policy};
    const auto answer = answer_object(r, row, &bucket);
    std::string lines;
    if (has_line(answer, "x-amz-object-lock-mode: COMPLIANCE")) lines += "mode ";
    if (has_line(answer, "x-amz-object-lock-retain-until-date: 2030-01-01T00:00:00.000Z")) lines += "date ";
    if (has_line(answer, "x-amz-object-lock-legal-hold: OFF")) lines += "hold ";
    EXPECT_EQ(answer.status, 200u);
    return lines;
  };
  EXPECT_EQ(told(rights::read, ""), "mode date hold ");
  EXPECT_EQ(told(rights::read, R"({"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObjectRetention",
    "Resource":"arn:aws:s3:::*"}]})"),
            "hold ");
  EXPECT_EQ(told(rights::write, R"({"Statement":[{"Effect":"Allow","Principal":"*",
    "Action":["s3:GetObject","s3:GetObjectRetention"],"Resource":"*"}]})"),
            "mode date ");
  row.extras.lock = {};
  EXPECT_EQ(told(rights::read, ""), "");
}

TEST(object_answer, sends_the_whole_object_with_its_headers) {
  const auto answer = answer_object(a_request(), a_row());
  EXPECT_EQ(answer.status, 200u);
  EXPECT_TRUE(answer.plan.head.starts_with("HTTP/1.1 200 OK\r\n"));
  for (const auto* line : {"ETag: \"abababababababababababababababab\"", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
                           "Accept-Ranges: bytes", "Content-Type: text/plain", "Cache-Control: no-cache",
                           "x-amz-meta-colour: blue", "x-amz-request-id: 00112233aabbccdd", "Server: Cairn"}) {
    EXPECT_TRUE(has_line(answer, line)) << line;
  }
  expect_honest_length(answer);
}

TEST(object_answer, sends_metadata_beyond_ascii_as_encoded_words) {
  auto row = a_row();
  row.headers.user = {{"name", "gr\xc3\xb6\xc3\x9f"}, {"sent", "=?UTF-8?B?w6Q=?="}};
  const auto answer = answer_object(a_request(), row);
  EXPECT_TRUE(has_line(answer, "x-amz-meta-name: =?UTF-8?B?Z3LDtsOf?="));
  EXPECT_TRUE(has_line(answer, "x-amz-meta-sent: =?UTF-8?B?w6Q=?="));
}

TEST(object_answer, sends_stored_headers_beyond_ascii_as_clients_read_them) {
  auto row = a_row();
  row.headers.content_type = "text/plain; title=\xe6\x97\xa5";
  row.headers.standard = {{"content-disposition", "inline; filename=\"caf\xc3\xa9\""},
                          {"content-language", "\xe6\x97\xa5"}};
  const auto answer = answer_object(a_request(), row);
  EXPECT_TRUE(has_line(answer, "Content-Type: text/plain; title==?UTF-8?B?5pel?="));
  EXPECT_TRUE(has_line(answer, "Content-Disposition: inline; filename=\"caf\xe9\""));
  EXPECT_TRUE(has_line(answer, "Content-Language: =?UTF-8?B?5pel?="));
}

TEST(object_answer, calls_objects_without_a_type_binary) {
  auto row = a_row();
  row.headers.content_type.clear();
  EXPECT_TRUE(has_line(answer_object(a_request(), row), "Content-Type: binary/octet-stream"));
}

TEST(object_answer, sends_one_range_as_206) {
  const auto answer = answer_object(with_range("bytes=10-19"), a_row());
  EXPECT_EQ(answer.status, 206u);
  EXPECT_TRUE(has_line(answer, "Content-Range: bytes 10-19/1000"));
  EXPECT_TRUE(has_line(answer, "Content-Type: text/plain"));
  expect_honest_length(answer);
  EXPECT_EQ(std::get<actors::byte_range>(answer.plan.body.front()).offset, 10u);
}

TEST(object_answer, sends_several_ranges_as_multipart) {
  const auto answer = answer_object(with_range("bytes=0-0,-2"), a_row());
  EXPECT_EQ(answer.status, 206u);
  EXPECT_TRUE(has_line(answer, "Content-Type: multipart/byteranges; boundary=cairn-00112233aabbccdd"));
  ASSERT_EQ(answer.plan.body.size(), 5u);
  const auto& second = std::get<std::string>(answer.plan.body[2]);
  EXPECT_EQ(second,
            "\r\n--cairn-00112233aabbccdd\r\nContent-Type: text/plain\r\nContent-Range: bytes 998-999/1000\r\n\r\n");
  EXPECT_EQ(std::get<actors::byte_range>(answer.plan.body[3]).offset, 998u);
  EXPECT_EQ(std::get<std::string>(answer.plan.body[4]), "\r\n--cairn-00112233aabbccdd--\r\n");
  expect_honest_length(answer);
}

TEST(object_answer, refuses_ranges_beyond_the_object_with_its_size) {
  const auto answer = answer_object(with_range("bytes=1000-"), a_row());
  EXPECT_EQ(answer.status, 416u);
  EXPECT_TRUE(has_line(answer, "Content-Range: bytes */1000"));
  EXPECT_NE(std::get<std::string>(answer.plan.body.front()).find("<Code>InvalidRange</Code>"), std::string::npos);
  expect_honest_length(answer);
}

TEST(object_answer, ignores_the_range_when_if_range_does_not_match) {
  auto r = with_range("bytes=0-0");
  r.conditions.if_range = "\"other\"";
  EXPECT_EQ(answer_object(r, a_row()).status, 200u);
}

TEST(object_answer, says_not_modified_without_a_body_or_length) {
  auto r = a_request();
  r.conditions.if_none_match = "*";
  const auto answer = answer_object(r, a_row());
  EXPECT_EQ(answer.status, 304u);
  EXPECT_TRUE(answer.plan.body.empty());
  EXPECT_EQ(answer.plan.head.find("Content-Length"), std::string::npos);
  EXPECT_TRUE(has_line(answer, "ETag: \"abababababababababababababababab\""));
  EXPECT_TRUE(has_line(answer, "Cache-Control: no-cache"));
}

TEST(object_answer, refuses_failed_preconditions_with_an_error_document) {
  auto r = with_range("bytes=0-0");
  r.conditions.if_match = "\"other\"";
  const auto answer = answer_object(r, a_row());
  EXPECT_EQ(answer.status, 412u);
  EXPECT_NE(std::get<std::string>(answer.plan.body.front()).find("PreconditionFailed"), std::string::npos);
  expect_honest_length(answer);
}

TEST(object_answer, gives_head_the_head_of_get) {
  for (const auto* range : {"", "bytes=0-9", "bytes=0-0,2-2", "bytes=5000-"}) {
    auto get = a_request();
    if (*range != '\0') get.range = range;
    auto head = get;
    head.head_only = true;
    const auto answer = answer_object(head, a_row());
    EXPECT_EQ(answer.plan.head, answer_object(get, a_row()).plan.head) << range;
    EXPECT_TRUE(answer.plan.body.empty()) << range;
  }
}

TEST(object_answer, has_no_body_for_an_empty_object) {
  const auto answer = answer_object(a_request(), a_row(0));
  EXPECT_EQ(answer.status, 200u);
  EXPECT_TRUE(answer.plan.body.empty());
  expect_honest_length(answer);
}

TEST(object_answer, says_when_the_connection_closes) {
  auto r = a_request();
  r.basics.close = true;
  EXPECT_TRUE(has_line(answer_object(r, a_row()), "Connection: close"));
}

TEST(object_answer, takes_a_whole_object_for_its_own_first_part) {
  const auto part = [](const std::string& number, std::uint64_t size = 1000) {
    auto r = a_request();
    r.target.query = {{"partNumber", number}};
    return answer_object(r, a_row(size));
  };
  const auto first = part("1");
  EXPECT_EQ(first.status, 206u);
  EXPECT_TRUE(has_line(first, "Content-Range: bytes 0-999/1000"));
  expect_honest_length(first);
  EXPECT_EQ(part("1", 0).status, 200u) << "an empty range cannot be written down";
  for (const auto* bad : {"2", "0", "x", "", "10001", "-1"}) EXPECT_EQ(part(bad).status, 400u) << bad;
  auto both = with_range("bytes=0-1");
  both.target.query = {{"partNumber", "1"}};
  EXPECT_EQ(answer_object(both, a_row()).status, 400u);
}

TEST(object_answer, answers_a_part_of_the_version_that_was_looked_at) {
  auto row = a_row();
  row.etag.parts = 3;
  row.version = 7;
  row.extras.tags = {{"k", "v"}};
  auto r = a_request();
  r.target.query = {{"partNumber", "2"}};
  EXPECT_EQ(answer_object(r, row).status, 503u) << "nobody looked";
  r.part = part_extent{7, 0, actors::byte_range{100, 50}};
  const auto part = answer_object(r, row);
  EXPECT_EQ(part.status, 206u);
  EXPECT_TRUE(has_line(part, "Content-Range: bytes 100-149/1000"));
  EXPECT_TRUE(has_line(part, "x-amz-mp-parts-count: 3"));
  EXPECT_TRUE(has_line(part, "x-amz-tagging-count: 1"));
  expect_honest_length(part);
  r.part->bytes.reset();
  EXPECT_EQ(answer_object(r, row).status, 400u);
  ++row.version;
  EXPECT_EQ(answer_object(r, row).status, 503u) << "overwritten meanwhile";
}

TEST(object_answer, tells_the_checksum_of_the_part_that_it_sends) {
  auto row = a_row();
  row.etag.parts = 2;
  row.headers.standard.emplace_back("x-amz-checksum-crc32", "whole-2");
  auto r = a_request();
  r.wants_checksum = true;
  EXPECT_TRUE(has_line(answer_object(r, row), "x-amz-checksum-crc32: whole-2"));
  r.target.query = {{"partNumber", "2"}};
  r.part = part_extent{0, 0, actors::byte_range{100, 50}, "part"};
  EXPECT_TRUE(has_line(answer_object(r, row), "x-amz-checksum-crc32: part"));
  EXPECT_TRUE(has_line(answer_object(r, row), "x-amz-checksum-type: COMPOSITE"));
  r.part->checksum.clear();
  EXPECT_EQ(answer_object(r, row).plan.head.find("x-amz-checksum"), std::string::npos) << "none was kept";
  r.part->checksum = "part";
  r.wants_checksum = false;
  EXPECT_EQ(answer_object(r, row).plan.head.find("x-amz-checksum"), std::string::npos);
}

TEST(object_answer, tells_when_the_object_expires) {
  storage::metadata::bucket_row bucket;
  const auto has_expiry = [&](const request& r) {
    return answer_object(r, a_row(), &bucket).plan.head.find("x-amz-expiration") != std::string::npos;
  };
  EXPECT_FALSE(has_expiry(a_request()));
  bucket.lifecycle = {{.id = "two days", .prefix = "k", .expire_days = 2}};
  EXPECT_TRUE(has_line(answer_object(a_request(), a_row(), &bucket),
                       "x-amz-expiration: expiry-date=\"Wed, 09 Nov 1994 00:00:00 GMT\", rule-id=\"two%20days\""));
  auto old = a_request();
  old.version = storage::metadata::version_id{};
  EXPECT_FALSE(has_expiry(old)) << "which may be one that is not live";
  bucket.lifecycle[0].prefix = "other";
  EXPECT_FALSE(has_expiry(a_request()));
}

TEST(object_answer, tells_composite_checksums_as_such) {
  auto row = a_row();
  row.headers.standard.emplace_back("x-amz-checksum-crc32", "y/Q5Jg==-2");
  auto r = a_request();
  r.wants_checksum = true;
  EXPECT_TRUE(has_line(answer_object(r, row), "x-amz-checksum-type: COMPOSITE"));
}

TEST(object_answer, tells_the_checksum_of_whole_objects_to_those_who_ask) {
  auto row = a_row();
  row.headers.standard.emplace_back("x-amz-checksum-crc32", "y/Q5Jg==");
  auto r = a_request();
  EXPECT_FALSE(has_line(answer_object(r, row), "x-amz-checksum-crc32: y/Q5Jg=="));
  r.wants_checksum = true;
  EXPECT_TRUE(has_line(answer_object(r, row), "x-amz-checksum-crc32: y/Q5Jg=="));
  EXPECT_TRUE(has_line(answer_object(r, row), "x-amz-checksum-type: FULL_OBJECT"));
  EXPECT_FALSE(has_line(answer_object(r, a_row()), "x-amz-checksum-type: FULL_OBJECT"));
  r.range = "bytes=0-1";
  EXPECT_EQ(answer_object(r, row).plan.head.find("x-amz-checksum"), std::string::npos);
}

} // namespace cairn::net::object_answer_test
