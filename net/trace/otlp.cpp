#include "net/trace/otlp.hpp"

#include "base/codec.hpp"
#include "base/json.hpp"

namespace cairn::net {

namespace {

// Of opentelemetry.proto.trace.v1.
constexpr int kind_internal = 1, kind_server = 2, kind_client = 3, status_error = 2;

json_object text_attribute(std::string_view key, std::string_view value) {
  return {{"key", key}, {"value", json_object{{"stringValue", value}}}};
}

json_object number_attribute(std::string_view key, std::uint64_t value) {
  return {{"key", key}, {"value", json_object{{"intValue", std::to_string(value)}}}};
}

json_object flag_attribute(std::string_view key, bool value) {
  return {{"key", key}, {"value", json_object{{"boolValue", value}}}};
}

void add_text(json_array& to, std::string_view key, std::string_view value) {
  if (!value.empty()) to.push_back(text_attribute(key, value));
}

std::string id_text(span_id id) {
  return hex_of(id, 16);
}

json_object span_object(const traced_request& of, span_number number, span_id parent, std::string_view name, int kind,
                        std::chrono::nanoseconds begins, std::chrono::nanoseconds ends) {
  json_object out{{"traceId", hex_of(of.context.trace)}, {"spanId", id_text(id_of_span(of.span_seed, number))}};
  if (parent != 0) out["parentSpanId"] = id_text(parent);
  out["name"] = name;
  out["kind"] = kind;
  out["startTimeUnixNano"] = std::to_string((of.began_at + begins).count());
  out["endTimeUnixNano"] = std::to_string((of.began_at + ends).count());
  return out;
}

json_object request_span(const traced_request& of) {
  auto out = span_object(of, 0, of.context.parent, of.operation, kind_server, {}, of.took);
  json_array attributes;
  if (of.status != 0) attributes.push_back(number_attribute("http.response.status_code", of.status));
  add_text(attributes, "aws.request_id", of.id);
  add_text(attributes, "aws.s3.bucket", of.bucket);
  add_text(attributes, "aws.s3.key", of.key);
  add_text(attributes, "client.address", of.address);
  if (of.left_out > 0) attributes.push_back(number_attribute("cairn.spans_left_out", of.left_out));
  out["attributes"] = std::move(attributes);
  json_object status;
  if (of.status == 0) status = {{"code", status_error}, {"message", "the connection ended before an answer"}};
  if (of.status >= 500) status = {{"code", status_error}};
  out["status"] = std::move(status);
  return out;
}

json_object inner_span(const traced_request& of, span_number number, const trace_span& s) {
  const bool of_chunk = s.name == span_name::read_chunk || s.name == span_name::write_chunk;
  auto out = span_object(of, number, id_of_span(of.span_seed, s.parent), to_string(s.name),
                         of_chunk && !s.cached ? kind_client : kind_internal, s.start - of.began, s.end - of.began);
  json_array attributes;
  if (of_chunk) {
    attributes.push_back(number_attribute("cairn.chunk", s.chunk));
    attributes.push_back(number_attribute("cairn.bytes", s.bytes));
    if (!s.cached) attributes.push_back(number_attribute("cairn.node", s.node));
  }
  if (s.name == span_name::read_chunk) {
    attributes.push_back(flag_attribute("cairn.cached", s.cached));
    attributes.push_back(flag_attribute("cairn.hedge", s.hedge));
  }
  if (s.outcome != errc{}) attributes.push_back(text_attribute("cairn.outcome", to_string(s.outcome)));
  out["attributes"] = std::move(attributes);
  json_object status;
  if (s.outcome != errc{} && s.outcome != errc::cancelled)
    status = {{"code", status_error}, {"message", to_string(s.outcome)}};
  out["status"] = std::move(status);
  return out;
}

} // namespace

// SplitMix64, so that ids of one seed look random.
span_id id_of_span(std::uint64_t seed, span_number number) {
  auto z = seed + (number + std::uint64_t{1}) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  z ^= z >> 31;
  return z == 0 ? 1 : z;
}

std::string otlp_json(std::span<const traced_request> requests, const trace_resource& node) {
  json_array spans;
  for (const auto& request : requests) {
    spans.push_back(request_span(request));
    span_number number = 0;
    for (const auto& s : request.spans) spans.push_back(inner_span(request, ++number, s));
  }
  json_array resource{text_attribute("service.name", "cairn"), text_attribute("service.version", node.version),
                      text_attribute("service.instance.id", node.instance)};
  json_array scopes;
  scopes.push_back(
      json_object{{"scope", json_object{{"name", "cairn"}, {"version", node.version}}}, {"spans", std::move(spans)}});
  json_array all;
  all.push_back(
      json_object{{"resource", json_object{{"attributes", std::move(resource)}}}, {"scopeSpans", std::move(scopes)}});
  return json_text(json_object{{"resourceSpans", std::move(all)}});
}

} // namespace cairn::net
