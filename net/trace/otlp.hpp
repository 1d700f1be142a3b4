// The spans of requests in the protocol of OpenTelemetry collectors: OTLP over HTTP, its JSON encoding
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids in hexadecimal, 64-bit integers as strings.
// Pure functions.
#pragma once

#include "base/trace/spans.hpp"
#include "base/trace/trace_context.hpp"

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace cairn::net {

// What one request adds to its trace: a span of its own, below the client's, and those within it.
struct traced_request {
  trace_context context;
  std::uint64_t span_seed = 0; // of the ids of its spans: random
  std::string id;              // x-amz-request-id
  std::string operation, bucket, key, address;
  unsigned status = 0;                 // 0: the connection ended before an answer
  std::chrono::nanoseconds began_at{}; // since 1970-01-01 UTC, exact to a millisecond
  steady_time began{};                 // the same moment
  std::chrono::nanoseconds took{};
  std::vector<trace_span> spans{};
  std::uint32_t left_out = 0; // further spans that were not kept

  std::size_t size() const { return spans.size() + 1; }
};

// The node, as the spans' resource names it.
struct trace_resource {
  std::string version, instance; // instance: "host:port" of the HTTP port
};

span_id id_of_span(std::uint64_t seed, span_number number); // 0: the request's own span
// The body of one request to the collector.
std::string otlp_json(std::span<const traced_request> requests, const trace_resource& node);

} // namespace cairn::net
