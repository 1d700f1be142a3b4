// The spans of one request: what the node did for it, when, and with which outcome. A request that is recorded has one
// request_trace; trace_scope refers to it from the messages and objects that travel with the request. An empty scope
// records nothing and reads no clock.
#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/seams.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace cairn {

enum class span_name : std::uint8_t {
  authorize,   // signature and rights, with the rows that they need
  look_up,     // rows of the metadata
  barrier,     // of a look-up in a cluster: until this node's state has all that was acknowledged before
  commit,      // from the proposal of a command until it is durable and applied
  read_chunk,  // one request for the bytes of a chunk, to one node
  write_chunk, // one replica of a chunk
};
std::string_view to_string(span_name name) noexcept; // "look_up"

using span_number = std::uint8_t; // within its request, from 1; 0: the request itself

struct trace_span {
  span_name name{};
  span_number parent = 0; // a lower number than its own
  steady_time start{}, end{};
  errc outcome{}; // of a failure; cancelled: another read was faster
  // Of read_chunk and write_chunk.
  node_number node = 0;
  std::uint32_t chunk = 0, bytes = 0; // chunk: its index in its blob; bytes: that were asked for or sent
  bool hedge = false, cached = false; // hedge: in addition to a late request; cached: no store was asked
};

// Bounded: beyond its limits the longest spans of chunks are kept, and the others are counted. Thread-safe.
class request_trace {
public:
  static constexpr std::size_t spans_max = 64;
  // A long transfer leaves room for look-ups, and both leave room for commits.
  static constexpr std::size_t chunk_spans_max = 48, spans_before_commits_max = 60;
  static_assert(chunk_spans_max < spans_before_commits_max && spans_before_commits_max < spans_max);

  struct recorded {
    std::vector<trace_span> spans; // the one with number n is at n - 1
    std::uint32_t left_out = 0;
  };

  request_trace() { spans_.reserve(8); } // of a small object
  // The number of a span that has begun; 0: there is no room.
  span_number begin(const trace_span& begun);
  void end(span_number number, steady_time at, errc outcome);
  void add(const trace_span& ended);
  // The request has ended: so have its open spans, and later ones are ignored. Call it once.
  recorded close(steady_time at);

private:
  std::size_t room_for(span_name name) const;
  void keep_if_longer(const trace_span& ended);

  std::mutex mutex_;
  std::vector<trace_span> spans_; // open ones have no end
  std::uint32_t left_out_ = 0;
  bool closed_ = false;
};

struct trace_scope {
  std::shared_ptr<request_trace> trace{};
  span_number parent = 0; // of the spans that are recorded through this scope

  explicit operator bool() const noexcept { return trace != nullptr; }
  trace_scope of_request() const { return {trace, 0}; }
  // Begins a span; the scope that is returned is its own.
  trace_scope begin(span_name name, steady_time at) const;
  trace_scope begin(span_name name, const clock& time) const { return trace ? begin(name, time.now()) : trace_scope{}; }
  // Ends the span that this scope is of.
  void end(steady_time at, errc outcome = {}) const;
  void end(const clock& time, errc outcome = {}) const {
    if (trace) end(time.now(), outcome);
  }
  void add(trace_span ended) const; // below this scope
};

} // namespace cairn
