// Operations that need no body of an object, over the real server: many deletes at once, settings, checksums.
#include "base/digest.hpp"
#include "net/wire/grammar/base64.hpp"
#include "tests/net/gateway/running_node.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace cairn::net::http_operations_test {

std::string md5_line(const std::string& body) {
  cairn::md5 md5;
  md5.update(std::as_bytes(std::span{body}));
  const auto digest = md5.finish();
  return "Content-MD5: " + base64_encode(std::string{digest.begin(), digest.end()}) + "\r\n";
}

class http_operations : public ::testing::Test {
protected:
  http_operations() { EXPECT_EQ(node.ask("PUT", "/files").status, 200u); }
  answer remove(const std::string& body, const std::string& fields = {}) const {
    return node.ask("POST", "/files?delete", fields.empty() ? md5_line(body) : fields, body);
  }
  running_node node;
};

bool holds(const answer& a, const std::string& text) {
  return a.body.find(text) != std::string::npos;
}

TEST_F(http_operations, delete_a_thousand_objects_in_a_few_batches) {
  std::string body = "<Delete>";
  for (int i = 0; i < 1000; ++i) {
    const auto key = "k" + std::to_string(i);
    if (i % 10 == 0) node.ask("PUT", "/files/" + key, {}, "x");
    body += "<Object><Key>" + key + "</Key></Object>";
  }
  const auto batches = node.metrics.commit_batches.load();
  const auto done = remove(body + "</Delete>");
  EXPECT_EQ(done.status, 200u);
  EXPECT_TRUE(holds(done, "<Deleted><Key>k0</Key></Deleted>") && holds(done, "<Key>k999</Key>"));
  EXPECT_FALSE(holds(done, "<Error>"));
  EXPECT_LT(node.metrics.commit_batches.load() - batches, 100u);
  EXPECT_TRUE(holds(node.ask("GET", "/files?list-type=2"), "<KeyCount>0</KeyCount>"));
}

TEST_F(http_operations, delete_each_object_by_itself) {
  node.ask("PUT", "/files/a", {}, "x");
  node.ask("PUT", "/files/b", {}, "x");
  const auto done = remove("<Delete><Quiet>true</Quiet><Object><Key>a</Key><ETag>other</ETag></Object>"
                           "<Object><Key>b</Key></Object><Object><Key>c</Key></Object></Delete>");
  EXPECT_TRUE(holds(done, "<Error><Key>a</Key><Code>PreconditionFailed</Code>"));
  EXPECT_FALSE(holds(done, "<Deleted>"));
  EXPECT_EQ(node.ask("GET", "/files/a").status, 200u);
  EXPECT_EQ(node.ask("GET", "/files/b").status, 404u);
}

TEST_F(http_operations, delete_nothing_of_a_body_that_is_not_the_announced_one) {
  node.ask("PUT", "/files/a", {}, "x");
  const std::string body = "<Delete><Object><Key>a</Key></Object></Delete>";
  EXPECT_TRUE(holds(remove(body, "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n"), "<Code>BadDigest</Code>"));
  EXPECT_TRUE(holds(remove(body, "x-amz-checksum-crc32: y/Q5Jg==\r\n"), "<Code>BadDigest</Code>"));
  EXPECT_TRUE(holds(remove("<Delete>"), "<Code>MalformedXML</Code>"));
  EXPECT_EQ(node.ask("GET", "/files/a").status, 200u);
  EXPECT_TRUE(holds(node.ask("POST", "/absent?delete", md5_line(body), body), "<Code>NoSuchBucket</Code>"));
  auto client = node.connect();
  client.send("POST /files?delete HTTP/1.1\r\nHost: localhost\r\n" + md5_line(body) +
              "Content-Length: 3000000\r\n\r\n");
  EXPECT_EQ(client.read().status, 400u) << "before the body is read";
}

TEST_F(http_operations, delete_nothing_of_a_body_that_nothing_proves) {
  node.ask("PUT", "/files/a", {}, "x");
  const std::string body = "<Delete><Object><Key>a</Key></Object></Delete>";
  const auto refused = remove(body, "x-amz-sdk-checksum-algorithm: CRC32\r\n");
  EXPECT_EQ(refused.status, 400u);
  EXPECT_TRUE(holds(refused, "<Code>InvalidRequest</Code>") &&
              holds(refused, "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"));
  EXPECT_EQ(node.ask("GET", "/files/a").status, 200u);
}

TEST_F(http_operations, of_pages_of_other_origins_change_nothing) {
  node.ask("PUT", "/files/a", {}, "x");
  const std::string body = "<Delete><Object><Key>a</Key></Object></Delete>", md5 = md5_line(body);
  const std::string evil = "Origin: https://evil.example\r\n", cross = "Sec-Fetch-Site: cross-site\r\n";
  for (const auto& sent :
       {evil, cross, evil + cross, std::string{"Origin: null\r\n"}, std::string{"Sec-Fetch-Site: same-site\r\n"}}) {
    EXPECT_EQ(remove(body, md5 + sent).status, 403u) << sent;
    EXPECT_EQ(node.ask("POST", "/files/u?uploads", sent).status, 403u) << sent;
    EXPECT_EQ(node.ask("PUT", "/files/new", sent, "x").status, 403u) << sent;
    EXPECT_EQ(node.ask("PUT", "/fresh", sent).status, 403u) << sent;
    EXPECT_EQ(node.ask("DELETE", "/files/a", sent).status, 403u) << sent;
    EXPECT_EQ(node.ask("DELETE", "/files", sent).status, 403u) << sent;
    EXPECT_EQ(node.ask("PUT", "/files?acl", sent + "x-amz-acl: public-read\r\n").status, 403u) << sent;
    EXPECT_EQ(node.ask("GET", "/files/a", sent).status, 200u) << sent;
  }
  EXPECT_EQ(node.ask("HEAD", "/fresh").status, 404u);
  const std::string own = "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n";
  EXPECT_EQ(node.ask("PUT", "/files/own", own, "x").status, 200u);

  const std::string rules = "<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin>"
                            "<AllowedMethod>PUT</AllowedMethod></CORSRule></CORSConfiguration>";
  EXPECT_EQ(node.ask("PUT", "/files?cors", {}, rules).status, 200u);
  const std::string app = "Origin: https://app.example\r\n" + cross;
  EXPECT_EQ(node.ask("PUT", "/files/by-app", app, "x").status, 200u);
  EXPECT_EQ(node.ask("DELETE", "/files/by-app", app).status, 403u) << "the rule is about PUT";
  EXPECT_EQ(node.ask("DELETE", "/files/by-app", app + "Access-Control-Request-Method: PUT\r\n").status, 403u);
  EXPECT_EQ(node.ask("PUT", "/files/by-app", evil + cross, "x").status, 403u);
}

TEST_F(http_operations, answer_for_settings_of_what_exists) {
  node.ask("PUT", "/files/a", {}, "x");
  EXPECT_TRUE(holds(node.ask("GET", "/files?location"), "LocationConstraint"));
  EXPECT_TRUE(holds(node.ask("GET", "/files?policy"), "<Code>NoSuchBucketPolicy</Code>"));
  EXPECT_TRUE(holds(node.ask("GET", "/files/a?acl"), "FULL_CONTROL"));
  EXPECT_TRUE(holds(node.ask("GET", "/files/b?acl"), "<Code>NoSuchKey</Code>"));
  EXPECT_TRUE(holds(node.ask("GET", "/absent?acl"), "<Code>NoSuchBucket</Code>"));
  EXPECT_EQ(node.ask("PUT", "/files?acl", "x-amz-acl: private\r\n").status, 200u);
  EXPECT_EQ(node.ask("PUT", "/files?acl", "x-amz-acl: authenticated-read\r\n").status, 200u);
  EXPECT_TRUE(holds(node.ask("GET", "/files?acl"), "AuthenticatedUsers"));
  EXPECT_EQ(node.ask("PUT", "/files?acl", "x-amz-acl: log-delivery-write\r\n").status, 501u);
  EXPECT_TRUE(holds(node.ask("PUT", "/files?acl", "x-amz-grant-read: id=nobody\r\n"), "<Code>InvalidArgument</Code>"));
  EXPECT_EQ(node.ask("PUT", "/files/a?acl", {}, "<AccessControlPolicy/>").status, 400u);
  EXPECT_EQ(node.ask("DELETE", "/files?cors").status, 204u);
  EXPECT_EQ(node.ask("PUT", "/other", "x-amz-acl: aws-exec-read\r\n").status, 501u);
}

TEST_F(http_operations, refuse_a_second_value_where_one_counts) {
  const auto twice = [this](const std::string& target, const std::string& name, const std::string& a,
                            const std::string& b) {
    const auto refused = node.ask("PUT", target, name + ": " + a + "\r\n" + name + ": " + b + "\r\n", "x");
    EXPECT_EQ(refused.status, 400u) << name << refused.body;
    EXPECT_TRUE(holds(refused, "<Code>InvalidArgument</Code>") && holds(refused, name)) << refused.body;
  };
  twice("/files/a", "x-amz-tagging", "a=b", "a=c");
  twice("/files/a", "x-amz-acl", "private", "public-read");
  twice("/files/a", "x-amz-expected-bucket-owner", "cairn", "other");
  twice("/files/a", "x-amz-copy-source", "/files/b", "/files/c");
  twice("/files/a", "content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==", "nonsense");
  twice("/files/a?tagging", "content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==", "nonsense");
  twice("/fresh", "x-amz-object-ownership", "ObjectWriter", "BucketOwnerEnforced");
  EXPECT_EQ(node.ask("GET", "/files/a").status, 404u);
  const std::string words = "x-amz-meta-a: b\r\nx-amz-meta-a: c\r\n";
  EXPECT_EQ(node.ask("PUT", "/files/a", words, "x").status, 200u);
  EXPECT_EQ(node.ask("GET", "/files/a").header("x-amz-meta-a"), "b, c");
}

TEST_F(http_operations, that_copy_take_no_body) {
  node.ask("PUT", "/files/a", {}, "x");
  const auto begun = node.ask("POST", "/files/b?uploads").body;
  const auto from = begun.find("<UploadId>") + 10;
  const auto upload = begun.substr(from, begun.find('<', from) - from);
  const std::string source = "x-amz-copy-source: /files/a\r\n";
  for (const auto& target : {std::string{"/files/c"}, "/files/b?partNumber=1&uploadId=" + upload}) {
    const auto refused = node.ask("PUT", target, source, "body");
    EXPECT_EQ(refused.status, 400u) << target;
    EXPECT_TRUE(holds(refused, "<Code>InvalidRequest</Code>") && holds(refused, "must not include a non-empty body"));
    EXPECT_EQ(node.ask("GET", "/files/c").status, 404u);
  }
  EXPECT_EQ(node.ask("PUT", "/files/c", source).status, 200u);
  EXPECT_EQ(node.ask("PUT", "/files/b?partNumber=1&uploadId=" + upload, source).status, 200u);
}

TEST_F(http_operations, obey_conditions_on_attributes) {
  const auto etag = node.ask("PUT", "/files/a", {}, "x").header("ETag");
  const std::string wanted = "x-amz-object-attributes: ETag\r\n";
  EXPECT_EQ(node.ask("GET", "/files/a?attributes", wanted + "If-Match: " + etag + "\r\n").status, 200u);
  EXPECT_EQ(node.ask("GET", "/files/a?attributes", wanted + "If-Match: \"00\"\r\n").status, 412u);
  const auto same = node.ask("GET", "/files/a?attributes", wanted + "If-None-Match: " + etag + "\r\n");
  EXPECT_EQ(same.status, 304u);
  EXPECT_EQ(same.header("ETag"), etag);
}

TEST_F(http_operations, know_one_size_of_transitions) {
  const std::string name = "x-amz-transition-default-minimum-object-size", all = "all_storage_classes_128K",
                    rules = "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/><Expiration><Days>9</Days>"
                            "</Expiration></Rule></LifecycleConfiguration>";
  EXPECT_EQ(node.ask("PUT", "/files?lifecycle", name + ": nonsense\r\n", rules).status, 400u);
  EXPECT_EQ(node.ask("PUT", "/files?lifecycle", name + ": varies_by_storage_class\r\n", rules).status, 501u);
  EXPECT_EQ(node.ask("GET", "/files?lifecycle").status, 404u);
  EXPECT_EQ(node.ask("PUT", "/files?lifecycle", name + ": " + all + "\r\n", rules).header(name), all);
  EXPECT_EQ(node.ask("GET", "/files?lifecycle").header(name), all);
}

TEST_F(http_operations, check_keep_and_tell_checksums) {
  const std::string right = "x-amz-checksum-crc32: y/Q5Jg==\r\n";
  const auto stored = node.ask("PUT", "/files/a", right, "123456789");
  EXPECT_EQ(stored.status, 200u);
  EXPECT_EQ(stored.header("x-amz-checksum-crc32"), "y/Q5Jg==");
  EXPECT_EQ(node.ask("GET", "/files/a").header("x-amz-checksum-crc32"), "");
  const auto told = node.ask("HEAD", "/files/a", "x-amz-checksum-mode: ENABLED\r\n");
  EXPECT_EQ(told.header("x-amz-checksum-crc32"), "y/Q5Jg==");
  for (const std::size_t size : {9u, 2'000'000u}) {
    EXPECT_TRUE(holds(node.ask("PUT", "/files/b", right, std::string(size, 'x')), "<Code>BadDigest</Code>")) << size;
  }
  EXPECT_EQ(node.ask("GET", "/files/b").status, 404u);
}

TEST(http_slow_requests, have_phases_that_add_up) {
  config::settings settings;
  settings.log.slow_request = std::chrono::microseconds{1};
  running_node node{settings};
  node.ask("PUT", "/files");
  node.ask("PUT", "/files/a", {}, std::string(100'000, 'x'));
  node.ask("GET", "/files/a");
  node.ask("GET", "/files/absent");
  ASSERT_TRUE(node.eventually([&] { return node.slow->latest().size() == 4; }));
  const auto slow = node.slow->latest();
  for (const auto& one : slow) {
    const auto& p = one.phases;
    EXPECT_EQ(p.server, p.authentication + p.metadata + p.rest);
    EXPECT_LE(p.server + p.body + p.transfer, p.total);
    EXPECT_EQ(one.address, "127.0.0.1");
    EXPECT_EQ(one.bucket, "files");
  }
  const auto of = [&slow](std::string_view operation, std::string_view key) {
    return *std::ranges::find_if(slow, [&](const auto& s) { return s.operation == operation && s.key == key; });
  };
  EXPECT_EQ(of("get_object", "absent").status, 404u);
  EXPECT_GT(of("get_object", "a").phases.metadata.count(), 0) << "the look-up of the object";
  EXPECT_EQ(of("get_object", "a").phases.body.count(), 0);
  EXPECT_GT(of("put_object", "a").phases.rest.count(), 0) << "its chunk and its row";
  const auto names = [](const slow_request& s) {
    std::vector<span_name> out;
    for (const auto& span : s.spans.spans) out.push_back(span.name);
    return out;
  };
  using enum span_name;
  EXPECT_THAT(names(of("put_object", "a")), testing::IsSupersetOf({authorize, look_up, write_chunk, commit}));
  EXPECT_THAT(names(of("get_object", "a")), testing::IsSupersetOf({authorize, look_up, read_chunk}));
  EXPECT_THAT(names(of("get_object", "absent")), testing::IsSupersetOf({authorize, look_up}));
  EXPECT_TRUE(std::ranges::any_of(of("get_object", "absent").spans.spans,
                                  [](const trace_span& s) { return s.outcome == errc::no_such_key; }));
  for (const auto& one : slow)
    for (const auto& span : one.spans.spans) {
      EXPECT_GE(span.start, one.began);
      EXPECT_GE(span.end, span.start);
    }
  settings = node.settings();
  settings.log.slow_request = config::duration{0};
  ASSERT_TRUE(node.server().apply(settings));
  node.ask("GET", "/files/a");
  EXPECT_EQ(node.slow->latest().size(), 4u);
}

TEST(http_slow_requests, of_copies_tell_what_was_read_and_written) {
  config::settings settings;
  settings.log.slow_request = std::chrono::microseconds{1};
  running_node node{settings};
  node.ask("PUT", "/files");
  node.ask("PUT", "/files/small", {}, "inline");
  node.ask("PUT", "/files/large", {}, std::string(100'000, 'x'));
  const auto upload = [&node](const std::string& header) {
    const auto begun = node.ask("POST", "/files/whole?uploads", header).body;
    const auto from = begun.find("<UploadId>") + 10;
    return "/files/whole?partNumber=1&uploadId=" + begun.substr(from, begun.find("</UploadId>") - from);
  };
  const auto plain = upload({}), checked = upload("x-amz-checksum-algorithm: CRC32C\r\n");
  using enum span_name;
  const auto is_copy = [](const slow_request& one) { return one.operation.find("copy") != std::string::npos; };
  auto spans_of = [&, copies = 0](const std::string& target, const std::string& source) mutable {
    ++copies;
    EXPECT_EQ(node.ask("PUT", target, "x-amz-copy-source: /files/" + source + "\r\n").status, 200u);
    EXPECT_TRUE(node.eventually([&] { return std::ranges::count_if(node.slow->latest(), is_copy) == copies; }));
    const auto slow = node.slow->latest();
    const auto last = std::ranges::find_if(slow, is_copy);
    std::vector<span_name> names;
    for (const auto& span : last->spans.spans) {
      if (span.name != authorize && span.parent == 0) names.push_back(span.name);
      EXPECT_EQ(span.outcome, errc{});
    }
    return names;
  };
  EXPECT_THAT(spans_of("/files/copy", "large"), testing::ElementsAre(look_up, commit));
  EXPECT_THAT(spans_of(plain, "large"), testing::ElementsAre(look_up, look_up, commit)) << "the upload, the source";
  EXPECT_THAT(spans_of(plain, "small"), testing::ElementsAre(look_up, look_up, look_up, write_chunk, commit))
      << "also the bucket that is written to";
  EXPECT_THAT(spans_of(checked, "large"), testing::ElementsAre(look_up, look_up, look_up, read_chunk, commit))
      << "also the source that is read";
  node.ask("DELETE", "/files/large");
  node.ask("PUT", "/files?lifecycle", {},
           "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter/>"
           "<Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>");
  node.ask("PUT", "/files/ruled", {}, std::string(100'000, 'x'));
  ASSERT_TRUE(node.eventually(
      [&] { return std::ranges::any_of(node.slow->latest(), [](const auto& one) { return one.key == "ruled"; }); }));
  const auto slow = node.slow->latest();
  const auto ruled = std::ranges::find(slow, "ruled", &slow_request::key);
  EXPECT_EQ(std::ranges::count_if(ruled->spans.spans, [](const auto& s) { return s.name == look_up && s.parent == 0; }),
            2)
      << "its rules are looked up once more";
}

TEST(http_traces, go_to_the_collector_when_the_sender_or_the_ratio_says_so) {
  config::settings settings;
  settings.trace.endpoint = "http://127.0.0.1:1/";
  settings.trace.sample = 0;
  running_node node{settings};
  const auto trace = [](const std::string& id, bool sampled) {
    return "traceparent: 00-" + id + "-00f067aa0ba902b7-0" + (sampled ? "1" : "0") + "\r\n";
  };
  const std::string first = "4bf92f3577b34da6a3ce929d0e0e4736", second = "5bf92f3577b34da6a3ce929d0e0e4736";
  node.ask("PUT", "/files");
  node.ask("PUT", "/files/a", trace(first, true), std::string(100'000, 'x'));
  node.ask("GET", "/files/a", trace(second, false));
  node.ask("GET", "/files/a", trace(first, true) + trace(second, true));
  ASSERT_TRUE(node.eventually([&] { return node.metrics.trace_spans_sent.load() >= 5; }));
  const auto sent = node.collected();
  EXPECT_NE(sent.find(R"("parentSpanId":"00f067aa0ba902b7","name":"put_object","kind":2)"), sent.npos) << sent;
  for (const auto* name : {"authorize", "look_up", "write_chunk", "commit"})
    EXPECT_NE(sent.find("\"name\":\"" + std::string{name} + "\""), sent.npos) << name;
  EXPECT_NE(sent.find(first), sent.npos);
  EXPECT_EQ(sent.find(second), sent.npos);
  settings = node.settings();
  settings.trace.sample = 1;
  ASSERT_TRUE(node.server().apply(settings));
  node.ask("GET", "/files/a", trace(second, false));
  const auto answer = node.ask("GET", "/files/absent");
  EXPECT_EQ(answer.header("traceparent"), "");
  const auto id = answer.header("x-amz-request-id");
  ASSERT_TRUE(node.eventually([&] { return node.collected().find(id) != std::string::npos; }));
  EXPECT_EQ(node.collected().find(second), std::string::npos);
}

} // namespace cairn::net::http_operations_test
