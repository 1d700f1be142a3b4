// Uploads by HTML forms over the real server.
#include "base/codec.hpp"
#include "net/s3/auth/sigv4.hpp"
#include "net/wire/grammar/base64.hpp"
#include "net/wire/grammar/http_date.hpp"
#include "tests/net/gateway/running_node.hpp"

namespace cairn::net::http_forms_test {

using form_fields = std::vector<std::pair<std::string, std::string>>;

const std::string form_head = "Content-Type: multipart/form-data; boundary=b\r\n";

std::string form_body(const form_fields& fields, const std::string& content, const std::string& file_name = "a.txt") {
  std::string body;
  for (const auto& [name, value] : fields)
    body += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  return body + "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + file_name +
         "\"\r\nContent-Type: text/html\r\n\r\n" + content + "\r\n--b--\r\n";
}

form_fields signed_form(std::string conditions, form_fields fields, const std::string& secret = "root-secret") {
  fields.insert(fields.end(), {{"x-amz-algorithm", "AWS4-HMAC-SHA256"},
                               {"x-amz-credential", "root/20240101/us-east-1/s3/aws4_request"},
                               {"x-amz-date", "20240101T000000Z"}});
  for (const auto& [name, value] : form_fields{fields.end() - 3, fields.end()})
    conditions += R"(, {")" + name + R"(": ")" + value + R"("})";
  const auto policy = base64_encode(R"({"expiration": "2999-01-01T00:00:00Z", "conditions": [)" + conditions + "]}");
  const auto key = derive_signing_key(secret, "20240101", "us-east-1");
  fields.emplace_back("policy", policy);
  fields.emplace_back("x-amz-signature",
                      hex_of(hmac_sha256(std::as_bytes(std::span{key}), std::as_bytes(std::span{policy}))));
  return fields;
}

config::settings guarded() {
  config::settings settings;
  settings.auth.anonymous = config::anonymous_access::none;
  settings.auth.root_access_key = "root";
  settings.auth.root_secret_key = "root-secret";
  return settings;
}

unsigned make_bucket(const running_node& node) {
  const std::vector<header_view> host{{"Host", "localhost"}};
  std::string lines;
  for (const auto& [name, value] :
       sign_request({"root", "root-secret", "us-east-1"}, {"PUT", "/files", {}, host}, system_clock().wall()))
    lines += name + ": " + value + "\r\n";
  return node.ask("PUT", "/files", lines).status;
}

bool holds(const answer& a, const std::string& text) {
  return a.body.find(text) != std::string::npos;
}

class http_forms : public ::testing::Test {
protected:
  http_forms() { EXPECT_EQ(node.ask("PUT", "/files").status, 200u); }
  answer post(const form_fields& fields, const std::string& content, const std::string& head = {}) const {
    return node.ask("POST", "/files", form_head + head, form_body(fields, content));
  }
  running_node node;
};

TEST_F(http_forms, store_their_file_however_they_are_sent) {
  for (const std::size_t size : {0u, 1u, 4096u, 65536u, 1048576u, 3'000'001u}) {
    std::string content;
    while (content.size() < size) content += "\r\n--a\r\n-\r\r\n--" + std::to_string(content.size());
    content.resize(size);
    for (const std::size_t piece : {7u, 1000u, 70'000u, 8'000'000u}) {
      if (size / piece > 1000) continue;
      const auto key = std::to_string(size) + "-" + std::to_string(piece);
      const auto whole = running_node::request_text("POST", "/files", form_head, form_body({{"key", key}}, content)) +
                         running_node::request_text("GET", "/files/" + key);
      auto client = node.connect();
      for (std::size_t at = 0; at < whole.size(); at += piece) client.send(whole.substr(at, piece));
      const auto stored = client.read();
      ASSERT_EQ(stored.status, 204u) << key << stored.body;
      EXPECT_EQ(stored.header("Location"), "http://localhost/files/" + key);
      const auto got = client.read();
      EXPECT_EQ(got.status, 200u) << "the next request on the connection";
      EXPECT_TRUE(got.body == content) << key;
      EXPECT_EQ(got.header("ETag"), stored.header("ETag"));
      EXPECT_NE(got.header("Content-Type"), "text/html") << "the field says it, not the part";
    }
  }
}

TEST_F(http_forms, keep_what_their_fields_say) {
  const auto stored = post({{"key", "dir/${filename}"},
                            {"Content-Type", "image/png"},
                            {"x-amz-meta-from", "${filename}"},
                            {"x-amz-checksum-crc32", "xb/MoA=="},
                            {"tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"},
                            {"success_action_status", "201"}},
                           "twelve bytes");
  ASSERT_EQ(stored.status, 201u) << stored.body;
  EXPECT_TRUE(holds(stored, "<Location>http://localhost/files/dir/a.txt</Location><Bucket>files</Bucket>"
                            "<Key>dir/a.txt</Key>"));
  EXPECT_EQ(stored.header("x-amz-checksum-crc32"), "xb/MoA==");
  const auto got = node.ask("GET", "/files/dir/a.txt");
  EXPECT_EQ(got.header("Content-Type"), "image/png");
  EXPECT_EQ(got.header("x-amz-meta-from"), "a.txt");
  EXPECT_TRUE(holds(node.ask("GET", "/files/dir/a.txt?tagging"), "<Key>a</Key><Value>1</Value>"));
  const auto sent_on = post({{"key", "k"}, {"success_action_redirect", "http://example.com/?a=b"}}, "x");
  EXPECT_EQ(sent_on.status, 303u);
  EXPECT_TRUE(sent_on.header("Location").starts_with("http://example.com/?a=b&bucket=files&key=k&etag=%22"));
}

TEST_F(http_forms, store_nothing_when_they_are_refused) {
  EXPECT_TRUE(holds(post({{"key", "k"}, {"x-amz-checksum-crc32", "AAAAAA=="}}, "x"), "BadDigest"));
  EXPECT_TRUE(holds(post({{"key", "k"}, {"Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="}}, "x"), "BadDigest"));
  EXPECT_EQ(post({{"key", "k"}, {"x-amz-server-side-encryption", "AES256"}}, "x").status, 501u);
  EXPECT_EQ(post({{"key", "k"}, {"x-amz-sparkle", "1"}}, "x").status, 501u);
  EXPECT_TRUE(holds(post({}, "x"), "a field named 'key'"));
  EXPECT_EQ(post({{"key", "k"}}, "x", "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n").status, 400u);
  EXPECT_EQ(post({{"key", "k"}}, "x", "If-None-Match: *\r\n").status, 501u);
  EXPECT_EQ(node.ask("POST", "/files?versionId=null", form_head, form_body({{"key", "k"}}, "x")).status, 400u);
  EXPECT_EQ(node.ask("POST", "/missing", form_head, form_body({{"key", "k"}}, "x")).status, 404u);
  const auto no_form = node.ask("POST", "/files", "Content-Type: text/plain\r\n", "key=k");
  EXPECT_EQ(no_form.status, 412u);
  EXPECT_TRUE(holds(no_form, "multipart/form-data"));
  EXPECT_EQ(node.ask("POST", "/files", form_head + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n").status, 411u);
  auto cut = form_body({{"key", "k"}}, "x");
  cut.resize(cut.size() - 8);
  EXPECT_TRUE(holds(node.ask("POST", "/files", form_head, cut), "MalformedPOSTRequest"));
  EXPECT_TRUE(holds(node.ask("POST", "/files", form_head, "--b\r\n"), "MalformedPOSTRequest"));
  EXPECT_TRUE(holds(post({{"key", "k"}, {"x", std::string(30'000, 'x')}}, "x"), "MaxPostPreDataLengthExceededError"));
  EXPECT_EQ(node.ask("GET", "/files/k").status, 404u);
}

TEST_F(http_forms, of_other_origins_need_a_rule_or_a_signature) {
  const std::string elsewhere = "Origin: http://elsewhere.example\r\n";
  EXPECT_EQ(post({{"key", "k"}}, "x", elsewhere).status, 403u);
  EXPECT_EQ(node.ask("PUT", "/files?cors", {},
                     "<CORSConfiguration><CORSRule><AllowedOrigin>http://elsewhere.example</AllowedOrigin>"
                     "<AllowedMethod>POST</AllowedMethod></CORSRule></CORSConfiguration>")
                .status,
            200u);
  const auto allowed = post({{"key", "k"}}, "x", elsewhere);
  EXPECT_EQ(allowed.status, 204u);
  EXPECT_EQ(allowed.header("Access-Control-Allow-Origin"), "http://elsewhere.example");
  EXPECT_EQ(post({{"key", "k"}}, "x", "Origin: http://third.example\r\n").status, 403u);
}

TEST(http_forms_with_a_policy, are_let_in_by_its_signature) {
  running_node node{guarded()};
  EXPECT_EQ(make_bucket(node), 200u);
  const auto post = [&node](const form_fields& fields, const std::string& content, const std::string& head = {}) {
    return node.ask("POST", "/files", form_head + head, form_body(fields, content));
  };
  EXPECT_EQ(post({{"key", "k"}}, "x").status, 403u);
  const std::string conditions =
      R"({"bucket": "files"}, ["starts-with", "$key", "u/"], ["content-length-range", 2, 4])";
  EXPECT_EQ(post(signed_form(conditions, {{"key", "u/k"}}), "abc").status, 204u);
  EXPECT_EQ(post(signed_form(conditions, {{"key", "u/k"}}), "abc", "Origin: http://elsewhere.example\r\n").status,
            204u);
  EXPECT_TRUE(holds(post(signed_form(conditions, {{"key", "u/small"}}), "a"), "EntityTooSmall"));
  EXPECT_TRUE(holds(post(signed_form(conditions, {{"key", "u/large"}}), "abcde"), "EntityTooLarge"));
  EXPECT_TRUE(
      holds(post(signed_form(conditions, {{"key", "u/large"}}), std::string(3'000'000, 'x')), "EntityTooLarge"));
  EXPECT_TRUE(holds(post(signed_form(conditions, {{"key", "other"}}), "abc"), "Policy Condition failed"));
  EXPECT_TRUE(
      holds(post(signed_form(conditions, {{"key", "u/k"}, {"acl", "private"}}), "abc"), "Extra input fields: acl"));
  EXPECT_TRUE(holds(post(signed_form(conditions, {{"key", "u/k"}}, "another"), "abc"), "SignatureDoesNotMatch"));
  auto unsigned_policy = signed_form(conditions, {{"key", "u/k"}});
  unsigned_policy.pop_back();
  EXPECT_EQ(post(unsigned_policy, "abc").status, 400u);
  EXPECT_EQ(post(signed_form(conditions, {{"key", "u/k"}}), "abc", "Authorization: AWS x:y\r\n").status, 400u);
  EXPECT_TRUE(
      holds(node.ask("POST", "/another", form_head, form_body(signed_form(conditions, {{"key", "u/k"}}), "abc")),
            "Policy Condition failed"));
}

} // namespace cairn::net::http_forms_test
