#include "net/admin/objects/object_request.hpp"

#include "net/gateway/routes/operation_table.hpp"
#include "net/s3/operations/target.hpp"
#include "net/wire/grammar/fields.hpp"
#include "net/wire/grammar/head_check.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cairn::net::object_request_test {

constexpr wall_ms now = 1'796'000'000'000;
const client_credentials key{"CKEXAMPLE", "the-secret", "us-east-1"};

using pairs = std::vector<std::pair<std::string, std::string>>;

struct console_request {
  std::string method = "GET";
  std::vector<query_parameter> query;
  pairs headers = {};
  std::string bucket = "files";

  result<std::string> head() const {
    boost::beast::http::fields fields;
    for (const auto& [name, value] : headers) fields.insert(name, value);
    return signed_head({method, bucket, query, fields, s3_operations}, key, now);
  }
};

// A head as the gateway's server reads it.
struct sent_head {
  std::string method, target;
  pairs headers;

  explicit sent_head(const std::string& head) {
    auto left = std::string_view{head};
    const auto line = [&left] {
      const auto one = left.substr(0, left.find("\r\n"));
      left.remove_prefix(one.size() + 2);
      return one;
    };
    const auto first = line();
    method = first.substr(0, first.find(' '));
    target = first.substr(method.size() + 1, first.rfind(' ') - method.size() - 1);
    for (auto one = line(); !one.empty(); one = line())
      headers.emplace_back(one.substr(0, one.find(':')), one.substr(one.find(':') + 2));
  }
  std::string value(std::string_view name) const {
    const auto found = std::ranges::find(headers, name, &pairs::value_type::first);
    return found == headers.end() ? "" : found->second;
  }
};

// The code of the gateway's refusal; empty: the signature is good.
std::string verdict_on(std::string_view method, const s3_target& target, const pairs& headers,
                       std::string_view secret) {
  std::vector<header_view> views;
  for (const auto& [name, value] : headers) views.push_back({name, value});
  const signed_request request{method, target.path, target.query, views};
  const auto claim = read_signature(request);
  if (const auto* refused = std::get_if<s3_error>(&claim)) return std::string{refused->code};
  const auto& read = std::get<signature_claim>(claim);
  if (const auto refused = check_claim(read, "us-east-1", now)) return std::string{refused->code};
  const auto refused = check_signature(read, request, derive_signing_key(secret, read.date, read.region));
  return refused ? std::string{refused->code} : "";
}

s3_target target_of(std::string_view text) {
  const auto parsed = parse_s3_target(text, "localhost");
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : s3_target{};
}

constexpr auto* reversed_text = "\xe2\x80\xae"
                                "gpj.exe";
const std::vector<std::string> odd_names{"<img src=x onerror=alert(1)>\"'",
                                         "a/../../other/b",
                                         "/begins/with/slash",
                                         "line\r\nX-Injected: yes\r\n\r\n",
                                         "100%25 ?versionId=x&delete#frag + plus",
                                         reversed_text,
                                         std::string(1024, '\x7f'),
                                         "."};

TEST(object_request, is_signed_as_the_gateway_verifies_it) {
  const std::vector<console_request> all{
      {"GET", {{"list-type", "2"}, {"prefix", "a b/"}, {"delimiter", "/"}, {"continuation-token", "x+/="}}},
      {"GET", {{"versions", ""}, {"key-marker", "k&v"}}},
      {"GET", {{"key", "k"}}, {{"Range", "bytes=0-9"}, {"If-Range", "\"e\""}, {"User-Agent", "a  browser"}}},
      {"HEAD", {{"key", "k"}}},
      {"PUT", {{"key", "k"}}, {{"Content-Length", "5"}, {"Content-Type", "text/plain"}, {"If-None-Match", "*"}}},
      {"PUT", {{"key", "k"}}, {{"x-amz-copy-source", "/files/k?versionId=null"}}},
      {"DELETE", {{"key", "k"}, {"versionId", "null"}}},
      {"POST", {{"delete", ""}}, {{"Content-Length", "7"}, {"x-amz-checksum-crc32", "AAAAAA=="}}},
      {"PUT", {{"key", "k"}, {"tagging", ""}}, {{"Content-Length", "7"}}},
      {"POST", {{"key", "k"}, {"uploads", ""}}},
      {"PUT", {{"key", "k"}, {"partNumber", "1"}, {"uploadId", "u"}}, {{"Content-Length", "18446744073"}}}};
  for (const auto& one : all) {
    const auto head = one.head();
    ASSERT_TRUE(head) << one.method << ' ' << head.error().text;
    const auto info = check_head(*head);
    EXPECT_FALSE(info.refused) << *head;
    const sent_head sent{*head};
    EXPECT_EQ(sent.method, one.method);
    EXPECT_EQ(sent.value("Connection"), "close") << "the connection takes one request";
    EXPECT_EQ(verdict_on(sent.method, target_of(sent.target), sent.headers, key.secret_key), "") << *head;
    EXPECT_EQ(verdict_on(sent.method, target_of(sent.target), sent.headers, "another"), "SignatureDoesNotMatch");
  }
  EXPECT_EQ(sent_head{*all.back().head()}.value("Content-Length"), "18446744073");
}

TEST(object_request, names_the_object_whatever_its_key) {
  for (const auto& name : odd_names) {
    const console_request one{"PUT", {{"key", name}}, {{"Content-Length", "0"}}};
    const auto head = one.head();
    ASSERT_TRUE(head) << name;
    EXPECT_EQ(head->find("X-Injected: "), std::string::npos);
    const auto target = target_of(sent_head{*head}.target);
    EXPECT_EQ(target.bucket, "files");
    EXPECT_EQ(target.key, name);
    EXPECT_EQ(verdict_on("PUT", target, sent_head{*head}.headers, key.secret_key), "");
  }
}

TEST(object_request, is_one_of_the_offered_operations) {
  const std::vector<console_request> others{{"DELETE", {}},
                                            {"PUT", {}},
                                            {"PUT", {{"versions", ""}}},
                                            {"POST", {}},
                                            {"POST", {{"key", "k"}}},
                                            {"OPTIONS", {{"key", "k"}}},
                                            {"PATCH", {{"key", "k"}}},
                                            {"GET", {{"uploads", ""}}},
                                            {"GET", {{"key", "k"}, {"uploadId", "u"}}},
                                            {"GET", {{"tagging", ""}}},
                                            {"DELETE", {{"key", ""}}},
                                            {"GET", {}, {}, "Not_A_Bucket"},
                                            {"GET", {{"key", std::string(1025, 'k')}}},
                                            {"GET", {{"key", "\xff"}}}};
  for (const auto& one : others) {
    const auto head = one.head();
    EXPECT_FALSE(head) << one.method << ' ' << (one.query.empty() ? "" : one.query.front().name) << '\n' << *head;
    if (head) continue;
    EXPECT_EQ(head.error().code, errc::invalid_argument);
  }
}

TEST(object_request, passes_no_other_parameter) {
  for (const auto* name : {"acl", "policy", "cors", "X-Amz-Signature", "X-Amz-Credential", "AWSAccessKeyId",
                           "response-content-type", "response-content-disposition", "x-amz-meta-a", "Key"}) {
    EXPECT_FALSE((console_request{"GET", {{"key", "k"}, {name, "x"}}}).head()) << name;
  }
  EXPECT_FALSE((console_request{"GET", {{"key", "k"}, {"key", "l"}}}).head());
  EXPECT_FALSE((console_request{"GET", {{"key", "k"}, {"versionId", "a"}, {"versionId", "b"}}}).head());
}

TEST(object_request, passes_no_other_header) {
  const console_request one{"PUT",
                            {{"key", "k"}},
                            {{"Content-Length", "1"},
                             {"Cookie", "cairn-console-9001=secret"},
                             {"Origin", "http://127.0.0.1:9001"},
                             {"Authorization", "AWS4-HMAC-SHA256 Credential=other"},
                             {"Cairn-CSRF", "secret"},
                             {"Cairn-Token", "secret"},
                             {"Expect", "100-continue"},
                             {"Upgrade", "h2c"},
                             {"x-amz-acl", "public-read"},
                             {"x-amz-security-token", "t"},
                             {"Connection", "keep-alive"}}};
  const sent_head sent{*one.head()};
  std::vector<std::string> names;
  for (const auto& [name, value] : sent.headers) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"Host", "x-amz-content-sha256", "x-amz-date", "Authorization",
                                             "Content-Length", "Connection"}));
  EXPECT_NE(sent.value("Authorization").find("Credential=CKEXAMPLE/"), std::string::npos);
  EXPECT_FALSE((console_request{"GET", {{"key", "k"}}, {{"Range", "bytes=0-1"}, {"Range", "bytes=2-3"}}}).head());
  EXPECT_FALSE((console_request{"GET", {{"key", "k"}}, {{"If-Match", "a\x01"}}}).head());
}

TEST(object_request, has_a_body_of_known_length_or_none) {
  const auto with = [](std::string method, pairs headers) {
    return console_request{std::move(method), {{"key", "k"}}, std::move(headers)}.head();
  };
  EXPECT_FALSE(with("PUT", {{"Transfer-Encoding", "chunked"}}));
  EXPECT_FALSE(with("PUT", {{"Transfer-Encoding", "chunked"}, {"Content-Length", "3"}}));
  EXPECT_FALSE(with("PUT", {{"Content-Length", "3"}, {"Content-Length", "4"}}));
  for (const auto* length : {"", "-1", "+1", "1a", "0x1", "1 2", "99999999999999999999"})
    EXPECT_FALSE(with("PUT", {{"Content-Length", length}})) << length;
  for (const auto* method : {"GET", "HEAD", "DELETE"}) {
    EXPECT_FALSE(with(method, {{"Content-Length", "3"}})) << method;
    EXPECT_EQ(sent_head{*with(method, {{"Content-Length", "0"}})}.value("Content-Length"), "");
  }
  EXPECT_EQ(sent_head{*with("PUT", {})}.value("Content-Length"), "0");
}

TEST(object_request, asks_for_a_download_that_no_browser_runs) {
  const auto target = target_of(sent_head{*console_request{"GET", {{"key", "a/page.html"}}}.head()}.target);
  EXPECT_EQ(*target.find("response-content-type"), "application/octet-stream");
  EXPECT_EQ(*target.find("response-content-disposition"), "attachment; filename*=UTF-8''page.html");
  EXPECT_EQ(*target.find("response-content-encoding"), "identity");
  EXPECT_EQ(*target.find("response-cache-control"), "no-store");
  const auto head = target_of(sent_head{*console_request{"HEAD", {{"key", "a/page.html"}}}.head()}.target);
  EXPECT_EQ(head.find("response-content-type"), nullptr) << "it tells the type of the object";
  for (const auto* line :
       {"Content-Security-Policy: default-src 'none'; sandbox;", "X-Content-Type-Options: nosniff\r\n"})
    EXPECT_NE(object_answer_lines.find(line), std::string_view::npos);
}

TEST(object_request, names_the_file_of_a_download) {
  EXPECT_EQ(attachment_of("k"), "attachment; filename*=UTF-8''k");
  EXPECT_EQ(attachment_of("a/b c\"'.txt"), "attachment; filename*=UTF-8''b%20c%22%27.txt");
  EXPECT_EQ(attachment_of("a/b/"), "attachment; filename*=UTF-8''b");
  EXPECT_EQ(attachment_of("///"), "attachment; filename*=UTF-8''object");
  EXPECT_EQ(attachment_of("a\r\nb"), "attachment; filename*=UTF-8''a__b");
  EXPECT_EQ(attachment_of("photo\xe2\x80\xaegpj.exe"), "attachment; filename*=UTF-8''photo_gpj.exe");
  EXPECT_EQ(attachment_of(std::string(1024, 'n')), "attachment; filename*=UTF-8''" + std::string(200, 'n'));
}

TEST(object_request, makes_links_that_the_gateway_takes_until_they_end) {
  for (const auto& name : odd_names) {
    const auto url = presigned_url({"https://s3.example.com:9000", "files", name, "null", 3600}, key, now);
    ASSERT_TRUE(url) << name;
    const std::string_view begin = "https://s3.example.com:9000";
    ASSERT_TRUE(url->starts_with(begin));
    const auto target = target_of(url->substr(begin.size()));
    EXPECT_EQ(target.bucket, "files");
    EXPECT_EQ(target.key, name);
    EXPECT_EQ(*target.find("versionId"), "null");
    EXPECT_EQ(*target.find("X-Amz-Expires"), "3600");
    EXPECT_EQ(verdict_on("GET", target, {{"Host", "s3.example.com:9000"}}, key.secret_key), "") << *url;
    EXPECT_EQ(verdict_on("PUT", target, {{"Host", "s3.example.com:9000"}}, key.secret_key), "SignatureDoesNotMatch");
    EXPECT_EQ(verdict_on("GET", target, {{"Host", "elsewhere"}}, key.secret_key), "SignatureDoesNotMatch");
  }
  const auto old = presigned_url({"http://h", "files", "k", "", 60}, key, now - 61'000);
  EXPECT_EQ(verdict_on("GET", target_of(old->substr(8)), {{"Host", "h"}}, key.secret_key), "AccessDenied");
}

TEST(object_request, makes_no_link_of_anything_else) {
  const object_link good{"http://h:1", "files", "k", "", 60};
  EXPECT_TRUE(presigned_url(good, key, now));
  for (const auto* endpoint : {"", "h:1", "ftp://h", "http://", "http://h/path", "http://h?x", "http://a b",
                               "http://h\r\nX: y", "javascript:alert(1)"}) {
    auto link = good;
    link.endpoint = endpoint;
    EXPECT_FALSE(presigned_url(link, key, now)) << endpoint;
  }
  for (const std::uint64_t seconds : {std::uint64_t{0}, presigned_seconds_max + 1}) {
    auto link = good;
    link.seconds = seconds;
    EXPECT_FALSE(presigned_url(link, key, now));
  }
  auto link = good;
  link.key = "";
  EXPECT_FALSE(presigned_url(link, key, now));
  link = good;
  link.version = "no version";
  EXPECT_FALSE(presigned_url(link, key, now));
}

} // namespace cairn::net::object_request_test
