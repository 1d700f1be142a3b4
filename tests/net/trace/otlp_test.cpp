#include "net/trace/otlp.hpp"

#include "base/json.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace cairn::net::otlp_test {

using namespace std::chrono_literals;

traced_request example() {
  traced_request out;
  out.context = *parse_traceparent("00-5b8efff798038103d269b633813fc60c-eee19b7ec3c1b173-01");
  out.span_seed = 42;
  out.id = "00f067aa0ba902b7";
  out.operation = "get_object";
  out.bucket = "files";
  out.key = "a/b";
  out.address = "10.0.0.7";
  out.status = 200;
  out.began_at = 1544712660000ms;
  out.began = steady_time{1h};
  out.took = 1s;
  return out;
}

std::string id(span_number number) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(id_of_span(42, number)));
  return text.data();
}

// The shape of the example of the specification: examples/trace.json of opentelemetry-proto.
TEST(otlp, is_what_the_specification_has_as_its_example) {
  auto request = example();
  request.spans.push_back({.name = span_name::read_chunk,
                           .start = request.began + 250ms,
                           .end = request.began + 750ms,
                           .outcome = errc::timeout,
                           .node = 2,
                           .chunk = 7,
                           .bytes = 65536,
                           .hedge = true});
  EXPECT_EQ(otlp_json({&request, 1}, {"1.2.3", "node-1:9100"}),
            R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cairn"}},)"
            R"({"key":"service.version","value":{"stringValue":"1.2.3"}},)"
            R"({"key":"service.instance.id","value":{"stringValue":"node-1:9100"}}]},)"
            R"("scopeSpans":[{"scope":{"name":"cairn","version":"1.2.3"},"spans":[)"
            R"({"traceId":"5b8efff798038103d269b633813fc60c","spanId":")" +
                id(0) +
                R"(","parentSpanId":"eee19b7ec3c1b173","name":"get_object","kind":2,)"
                R"("startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000","attributes":[)"
                R"({"key":"http.response.status_code","value":{"intValue":"200"}},)"
                R"({"key":"aws.request_id","value":{"stringValue":"00f067aa0ba902b7"}},)"
                R"({"key":"aws.s3.bucket","value":{"stringValue":"files"}},)"
                R"({"key":"aws.s3.key","value":{"stringValue":"a/b"}},)"
                R"({"key":"client.address","value":{"stringValue":"10.0.0.7"}}],"status":{}},)"
                R"({"traceId":"5b8efff798038103d269b633813fc60c","spanId":")" +
                id(1) + R"(","parentSpanId":")" + id(0) +
                R"(","name":"read_chunk","kind":3,)"
                R"("startTimeUnixNano":"1544712660250000000","endTimeUnixNano":"1544712660750000000","attributes":[)"
                R"({"key":"cairn.chunk","value":{"intValue":"7"}},{"key":"cairn.bytes","value":{"intValue":"65536"}},)"
                R"({"key":"cairn.node","value":{"intValue":"2"}},{"key":"cairn.cached","value":{"boolValue":false}},)"
                R"({"key":"cairn.hedge","value":{"boolValue":true}},)"
                R"({"key":"cairn.outcome","value":{"stringValue":"timeout"}}],)"
                R"("status":{"code":2,"message":"timeout"}}]}]}]})");
}

TEST(otlp, has_no_parent_for_a_trace_that_begins_here) {
  auto request = example();
  request.context.parent = 0;
  EXPECT_EQ(otlp_json({&request, 1}, {}).find("parentSpanId"), std::string::npos);
}

TEST(otlp, calls_the_nodes_faults_errors_and_nothing_else) {
  auto request = example();
  const auto is_error = [&request] { return otlp_json({&request, 1}, {}).find(R"("code":2)") != std::string::npos; };
  for (const auto& [status, wrong] : {std::pair{200u, false}, std::pair{404u, false}, std::pair{500u, true},
                                      std::pair{503u, true}, std::pair{0u, true}}) {
    request.status = status;
    EXPECT_EQ(is_error(), wrong) << status;
  }
  request.status = 200;
  request.spans.push_back({.name = span_name::read_chunk, .outcome = errc::cancelled});
  EXPECT_FALSE(is_error()) << "the other read was faster";
}

TEST(otlp, is_json_whatever_an_object_is_called) {
  auto request = example();
  request.key = "\"}\n\xff\xc3\x28\x1b[2J";
  request.left_out = 3;
  const auto text = otlp_json({&request, 1}, {});
  EXPECT_TRUE(read_json(text, 1 << 20, 32)) << text;
  EXPECT_NE(text.find("cairn.spans_left_out"), std::string::npos);
}

TEST(otlp, gives_each_span_an_id_of_its_own) {
  std::set<span_id> ids;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (unsigned n = 0; n <= request_trace::spans_max; ++n) {
      const auto one = id_of_span(seed << 32, static_cast<span_number>(n));
      EXPECT_NE(one, 0u);
      EXPECT_TRUE(ids.insert(one).second);
    }
}

} // namespace cairn::net::otlp_test
