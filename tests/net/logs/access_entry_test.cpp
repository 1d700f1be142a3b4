#include "net/logs/access_entry.hpp"

#include "base/json.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <regex>
#include <string>
#include <vector>

namespace cairn::net::access_entry_test {

using namespace std::chrono_literals;

access_entry whole_entry() {
  access_entry e;
  e.time = 784111777123;
  e.address = "10.0.0.7";
  e.user = "CKEXAMPLE";
  e.method = "GET";
  e.target = "/files/a%20b?versionId=1";
  e.protocol = "HTTP/1.1";
  e.status = 206;
  e.whole = true;
  e.received = 180;
  e.sent = 1300;
  e.sent_of_body = 1000;
  e.took = 1500us;
  e.first_byte = 400us;
  e.referer = "https://example.org/page";
  e.user_agent = "curl/7.88.1";
  e.request = "0123456789abcdef";
  e.operation = "get_object";
  e.bucket = "files";
  e.key = "a b";
  return e;
}

// Strict: no quote, backslash or control character but as \xHH.
const std::regex combined{R"re((\S+) - (\S+) \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] )re"
                          R"re("((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\x[0-9A-F]{2})*)" (\d{3}) (\d+) )re"
                          R"re("((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\x[0-9A-F]{2})*)" )re"
                          R"re("((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\x[0-9A-F]{2})*)"\n)re"};

// The fields of a combined line with its escapes undone.
std::vector<std::string> fields_of(const std::string& line) {
  std::smatch found;
  if (!std::regex_match(line, found, combined)) return {};
  std::vector<std::string> out;
  for (std::size_t i = 1; i < found.size(); ++i) {
    std::string plain;
    const auto text = found[i].str();
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\\') {
        plain.push_back(static_cast<char>(std::stoi(text.substr(at + 2, 2), nullptr, 16)));
        at += 3;
      } else {
        plain.push_back(text[at]);
      }
    }
    out.push_back(plain);
  }
  return out;
}

TEST(access_entry, is_a_combined_line_as_nginx_writes_it) {
  EXPECT_EQ(combined_line(whole_entry()),
            "10.0.0.7 - CKEXAMPLE [06/Nov/1994:08:49:37 +0000] \"GET /files/a%20b?versionId=1 HTTP/1.1\" 206 1000 "
            "\"https://example.org/page\" \"curl/7.88.1\"\n");
}

TEST(access_entry, is_json_with_the_names_of_nginx) {
  EXPECT_EQ(access_json_line(whole_entry()),
            R"({"time_iso8601":"1994-11-06T08:49:37.123Z","remote_addr":"10.0.0.7","remote_user":"CKEXAMPLE",)"
            R"("request_method":"GET","request_uri":"/files/a%20b?versionId=1","server_protocol":"HTTP/1.1",)"
            R"("status":206,"body_bytes_sent":1000,"bytes_sent":1300,"request_length":180,"request_time_us":1500,)"
            R"("first_byte_time_us":400,"request_completion":"OK","http_referer":"https://example.org/page",)"
            R"("http_user_agent":"curl/7.88.1","request_id":"0123456789abcdef","operation":"get_object",)"
            R"("bucket":"files","key":"a b"})"
            "\n");
}

TEST(access_entry, has_a_dash_for_what_is_absent_and_499_without_an_answer) {
  access_entry e;
  e.address = "::1";
  e.refused_line = "\x16\x03\x01";
  EXPECT_EQ(combined_line(e), R"(::1 - - [01/Jan/1970:00:00:00 +0000] "\x16\x03\x01" 499 0 "-" "-")"
                              "\n");
  e.refused_line = {};
  EXPECT_EQ(fields_of(combined_line(e)).at(3), "-");
  EXPECT_NE(access_json_line(e).find(R"("status":499)"), std::string::npos);
  EXPECT_EQ(access_json_line(e).find("request_completion"), std::string::npos);
}

TEST(access_entry, escapes_each_byte_as_the_table_of_nginx_says) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text{"x", 1};
    const std::string sent = text + static_cast<char>(byte) + text;
    const bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
    std::array<char, 16> hex{};
    std::snprintf(hex.data(), hex.size(), "\\x%02X", unsigned(byte));
    auto e = whole_entry();
    e.user_agent = sent;
    const auto line = combined_line(e);
    EXPECT_TRUE(line.ends_with("\"x" + (plain ? std::string(1, static_cast<char>(byte)) : hex.data()) + "x\"\n"))
        << line;
    EXPECT_EQ(fields_of(line).at(7), sent);
  }
}

TEST(access_entry, cannot_be_forged_by_what_a_client_chooses) {
  const std::string hostile = "x\" 200 1 \"-\" \"-\"\n1.2.3.4 - root [now] \"\\\x1b[2J\x7f\xc2\x9b\u202e\u2028\xff";
  auto e = whole_entry();
  e.user = hostile;
  e.target = hostile;
  e.referer = hostile;
  e.user_agent = hostile;
  e.key = hostile;
  const auto line = combined_line(e);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto fields = fields_of(line);
  ASSERT_EQ(fields.size(), 8u) << line;
  EXPECT_EQ(fields[1], hostile);
  EXPECT_EQ(fields[3], "GET " + hostile + " HTTP/1.1");
  EXPECT_EQ(fields[4], "206");
  EXPECT_EQ(fields[6], hostile);
  EXPECT_EQ(fields[7], hostile);
  const auto json = access_json_line(e);
  EXPECT_EQ(json.find('\n'), json.size() - 1);
  for (const std::string_view bad : {"\x1b", "\x7f", "\xc2\x9b", "\u202e", "\u2028", "\xff"})
    EXPECT_EQ(json.find(bad), json.npos);
  const auto read = read_json(json, json.size(), 3);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->as_object().at("status").as_int64(), 206);
}

TEST(access_entry, has_no_signature_and_no_token) {
  EXPECT_EQ(without_secrets("/files/a?X-Amz-Credential=CK%2F1&X-Amz-Signature=0a1b&X-Amz-Security-Token=tok%3D&x=1"),
            "/files/a?X-Amz-Credential=CK%2F1&X-Amz-Signature=***&X-Amz-Security-Token=***&x=1");
  EXPECT_EQ(without_secrets("/a?AWSAccessKeyId=CK&Expires=1&Signature=abc%2B="),
            "/a?AWSAccessKeyId=CK&Expires=1&Signature=***");
  EXPECT_EQ(without_secrets("/a?x-amz%2dsignaturE=0a1b"), "/a?x-amz%2dsignaturE=***") << "names are decoded";
  EXPECT_EQ(without_secrets("/a?x-amz-server-side-encryption-customer-key=c2VjcmV0"),
            "/a?x-amz-server-side-encryption-customer-key=***");
  EXPECT_EQ(without_secrets("GET /a?X-Amz-Signature=0a1b HTTP/9"), "GET /a?X-Amz-Signature=*** HTTP/9");
  EXPECT_EQ(without_secrets("x&X-Amz-Signature=0a1b HTTP/1.1"), "x&X-Amz-Signature=*** HTTP/1.1")
      << "the rest of a URL";
  EXPECT_EQ(without_secrets("Authorization: AWS4-HMAC-SHA256 SignedHeaders=host, Signature=0a1b"),
            "Authorization: AWS4-HMAC-SHA256 SignedHeaders=host, Signature=***");
  EXPECT_EQ(without_secrets("/a%3FX-Amz-Date=1%26X-Amz-Signature%3D0a1b"), "/a%3FX-Amz-Date=1%26X-Amz-Signature%3D***");
  EXPECT_EQ(without_secrets("/a?u=http%3A%2F%2Fb%3fSignature%3d0a1b&x=1"), "/a?u=http%3A%2F%2Fb%3fSignature%3d***&x=1");
  EXPECT_EQ(without_secrets("/a?X-Amz-Security-Token=a%26b&x=1"), "/a?X-Amz-Security-Token=***&x=1");
  EXPECT_EQ(without_secrets("/a#Signature=0a1b"), "/a#Signature=***");
  for (const std::string_view same :
       {"", "/", "/a?", "/a?&", "/a?X-Amz-Signature", "/X-Amz-Signature=1", "/a?b=%zz&=c", "/a??"})
    EXPECT_EQ(without_secrets(same), same);
  auto e = whole_entry();
  e.target = "/files/a?X-Amz-Signature=0a1b2c";
  e.key = "a?X-Amz-Signature=0a1b2c";
  e.referer = "https://s3.example.org/files/page.html?Signature=0a1b2c";
  for (const auto& line : {combined_line(e), access_json_line(e)}) {
    EXPECT_EQ(line.find("0a1b2c"), line.npos);
    EXPECT_NE(line.find("X-Amz-Signature=***"), line.npos);
  }
}

} // namespace cairn::net::access_entry_test
