// Objects and buckets over the real server: what is stored comes back, in S3's words.
#include "tests/net/gateway/running_node.hpp"

#include "tests/net/s3/operation_named.hpp"

namespace cairn::net::http_objects_test {

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint64_t x = 88172645463325252ull;
  for (auto& c : text) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    c = static_cast<char>(x);
  }
  return text;
}

class http_objects : public ::testing::Test {
protected:
  http_objects() { EXPECT_EQ(node.ask("PUT", "/files").status, 200u); }
  answer put(const std::string& key, const std::string& body, const std::string& fields = {}) const {
    return node.ask("PUT", "/files/" + key, fields, body);
  }
  answer get(const std::string& key, const std::string& fields = {}) const {
    return node.ask("GET", "/files/" + key, fields);
  }
  running_node node;
};

TEST_F(http_objects, come_back_byte_for_byte_whatever_their_size) {
  for (const std::size_t size : {0u, 1u, 4096u, 4097u, 65536u, 1048575u, 1048576u, 1048577u, 9'000'001u}) {
    const auto body = pattern(size);
    const auto stored = put("k", body);
    ASSERT_EQ(stored.status, 200u) << size << stored.body;
    const auto got = get("k");
    EXPECT_EQ(got.status, 200u);
    EXPECT_TRUE(got.whole && got.body == body) << size;
    EXPECT_EQ(got.header("ETag"), stored.header("ETag"));
  }
}

TEST_F(http_objects, come_back_when_they_were_sent_in_chunks_of_any_size) {
  for (const std::size_t size : {0u, 3u, 5000u, 1048576u, 3'000'000u}) {
    const auto body = pattern(size);
    std::string chunked;
    for (std::size_t at = 0, piece = 1; at < size; at += piece, piece = piece * 7 + 1) {
      piece = std::min(piece, size - at);
      char line[40];
      std::snprintf(line, sizeof line, "%zX;name=value\r\n", piece);
      chunked += line + body.substr(at, piece) + "\r\n";
    }
    chunked += "0\r\nTrailer: ignored\r\n\r\n";
    auto client = node.connect();
    client.send(running_node::request_text("PUT", "/files/k", "Transfer-Encoding: chunked\r\n") + chunked);
    ASSERT_EQ(client.read().status, 200u) << size;
    client.send(running_node::request_text("GET", "/files/k"));
    EXPECT_TRUE(client.read().body == body) << size;
  }
}

TEST_F(http_objects, keep_their_headers) {
  put("k", "hello", "Content-Type: text/plain\r\nCache-Control: no-cache\r\nX-Amz-Meta-Colour: blue\r\n");
  const auto got = get("k");
  EXPECT_EQ(got.header("Content-Type"), "text/plain");
  EXPECT_EQ(got.header("Cache-Control"), "no-cache");
  EXPECT_EQ(got.header("x-amz-meta-colour"), "blue");
  EXPECT_EQ(got.header("ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  EXPECT_EQ(got.header("x-amz-request-id").size(), 16u);
}

TEST_F(http_objects, answer_head_like_get_without_a_body) {
  put("k", pattern(100'000));
  for (const auto* key : {"k", "absent"}) {
    auto client = node.connect();
    client.send(running_node::request_text("HEAD", std::string{"/files/"} + key) +
                running_node::request_text("GET", std::string{"/files/"} + key));
    const auto head = client.read(true);
    const auto got = client.read();
    EXPECT_EQ(head.status, got.status);
    EXPECT_EQ(head.header("Content-Length"), got.header("Content-Length"));
    EXPECT_EQ(head.header("Content-Type"), got.header("Content-Type"));
    EXPECT_EQ(head.header("ETag"), got.header("ETag"));
  }
}

TEST_F(http_objects, come_in_ranges) {
  const auto body = pattern(3'000'000);
  put("k", body);
  const auto one = get("k", "Range: bytes=1048570-1048590\r\n");
  EXPECT_EQ(one.status, 206u);
  EXPECT_EQ(one.body, body.substr(1048570, 21));
  EXPECT_EQ(get("k", "Range: bytes=-5\r\n").body, body.substr(body.size() - 5));
  const auto several = get("k", "Range: bytes=0-9,2000000-2000009\r\n");
  EXPECT_EQ(several.status, 206u);
  EXPECT_TRUE(several.whole);
  EXPECT_NE(several.body.find(body.substr(2000000, 10)), std::string::npos);
  EXPECT_TRUE(several.body.ends_with("--\r\n"));
  const auto outside = get("k", "Range: bytes=3000000-\r\n");
  EXPECT_EQ(outside.status, 416u);
  EXPECT_EQ(outside.header("Content-Range"), "bytes */3000000");
}

TEST_F(http_objects, obey_conditions) {
  const auto etag = put("k", "one").header("ETag");
  EXPECT_EQ(get("k", "If-None-Match: " + etag + "\r\n").status, 304u);
  EXPECT_EQ(get("k", "If-Match: \"x\"\r\n").status, 412u);
  EXPECT_EQ(put("k", "two", "If-None-Match: *\r\n").status, 412u);
  EXPECT_EQ(put("k", "two", "If-Match: \"x\"\r\n").status, 412u);
  EXPECT_EQ(get("k").body, "one");
  EXPECT_EQ(put("k", "two", "If-Match: " + etag + "\r\n").status, 200u);
  EXPECT_EQ(get("k").body, "two");
  EXPECT_EQ(node.ask("DELETE", "/files/k", "If-Match: \"x\"\r\n").status, 412u);
}

TEST_F(http_objects, are_not_stored_when_their_md5_is_wrong) {
  const auto wrong = put("k", "hello", "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n");
  EXPECT_EQ(wrong.status, 400u);
  EXPECT_NE(wrong.body.find("<Code>BadDigest</Code>"), std::string::npos);
  EXPECT_EQ(get("k").status, 404u);
  EXPECT_EQ(put("k", "hello", "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n").status, 200u);
}

TEST_F(http_objects, disappear_when_deleted_and_deleting_twice_succeeds) {
  put("k", "x");
  EXPECT_EQ(node.ask("DELETE", "/files/k").status, 204u);
  EXPECT_EQ(node.ask("DELETE", "/files/k").status, 204u);
  const auto gone = get("k");
  EXPECT_EQ(gone.status, 404u);
  EXPECT_NE(gone.body.find("<Code>NoSuchKey</Code>"), std::string::npos);
}

TEST_F(http_objects, live_in_buckets_that_exist) {
  for (const auto* method : {"GET", "PUT", "DELETE"}) {
    const auto refused = node.ask(method, "/absent/k");
    EXPECT_EQ(refused.status, 404u) << method;
    EXPECT_NE(refused.body.find("<Code>NoSuchBucket</Code>"), std::string::npos);
  }
  EXPECT_EQ(node.ask("HEAD", "/absent").status, 404u);
  EXPECT_EQ(node.ask("HEAD", "/files").status, 200u);
  EXPECT_EQ(node.ask("PUT", "/files").status, 409u);
  put("k", "x");
  EXPECT_EQ(node.ask("DELETE", "/files").status, 409u);
  node.ask("DELETE", "/files/k");
  EXPECT_EQ(node.ask("DELETE", "/files").status, 204u);
  EXPECT_EQ(node.ask("GET", "/files?list-type=2").status, 404u);
}

TEST_F(http_objects, are_listed_page_by_page) {
  for (const auto* key : {"a/1", "a/2", "b", "c%26d"}) put(key, "x");
  const auto page = node.ask("GET", "/files?list-type=2&max-keys=2&delimiter=%2F");
  EXPECT_EQ(page.status, 200u);
  EXPECT_EQ(page.header("Content-Type"), "application/xml");
  EXPECT_NE(page.body.find("<Prefix>a/</Prefix>"), std::string::npos);
  EXPECT_NE(page.body.find("<Key>b</Key>"), std::string::npos);
  const auto from = page.body.find("<NextContinuationToken>") + 23;
  const auto token = page.body.substr(from, page.body.find('<', from) - from);
  const auto next = node.ask("GET", "/files?list-type=2&delimiter=%2F&continuation-token=" + token);
  EXPECT_NE(next.body.find("<Key>c&amp;d</Key>"), std::string::npos);
  EXPECT_NE(next.body.find("<KeyCount>1</KeyCount>"), std::string::npos);
  const auto none = node.ask("GET", "/files?list-type=2&max-keys=0");
  EXPECT_NE(none.body.find("<KeyCount>0</KeyCount>"), std::string::npos);
  EXPECT_NE(node.ask("GET", "/").body.find("<Name>files</Name>"), std::string::npos);
}

TEST_F(http_objects, stay_inside_their_bucket) {
  put("..%2F..%2Fescape", "dots");
  EXPECT_EQ(get("%2e%2e/%2e%2e/escape").body, "dots");
  EXPECT_EQ(node.ask("GET", "/../files/k").status, 400u);
  EXPECT_NE(node.ask("GET", "/files?list-type=2").body.find("<Key>../../escape</Key>"), std::string::npos);
}

TEST_F(http_objects, raise_the_counters) {
  put("k", "x");
  get("absent");
  const auto& operations = node.metrics.http;
  const auto& puts = operations[row_named("put_object")];
  const auto& gets = operations[row_named("get_object")];
  EXPECT_TRUE(node.eventually([&] { return puts.by_status_class[2] == 1u && gets.by_status_class[4] == 1u; }));
  EXPECT_TRUE(node.eventually([&] { return node.metrics.connections == 0u; }));
}

} // namespace cairn::net::http_objects_test
