// The identity of a trace as W3C Trace Context passes it in the header `traceparent`
// (https://www.w3.org/TR/trace-context/#traceparent-header), and the decision whether a trace is sampled:
//
//   traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//                version, trace id, span id of the sender, flags (bit 0: sampled)
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cairn {

using trace_id = std::array<std::uint8_t, 16>;
using span_id = std::uint64_t; // its eight bytes, big-endian

struct trace_context {
  trace_id trace{};
  span_id parent = 0; // the sender's span; 0: the trace begins here
  bool sampled = false;
};

// nullopt: malformed, and to be ignored. Of versions after 00 the fields of version 00 are read, and what follows is
// not.
std::optional<trace_context> parse_traceparent(std::string_view header);

// `random`: 64 random bits. What a ratio samples, a higher one samples, too; 0 samples nothing, 1 everything.
bool is_sampled(std::uint64_t random, double ratio);

// Its last half is `low`, from which is_sampled() decides, as collectors expect.
trace_id make_trace_id(std::uint64_t high, std::uint64_t low);

} // namespace cairn
