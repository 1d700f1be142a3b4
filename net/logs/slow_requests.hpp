// Requests that took the node longer than log.slow_request: a line of level warning for each, at most four a second,
// and the last of them in memory for the admin API. Thread-safe.
#pragma once

#include "base/log_pace.hpp"
#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "base/trace/spans.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cairn::net {

// Where the time of a request went. `server` is the node's own part: from the end of the head to the first byte of the
// answer, without `body`. A slow client makes `body` and `transfer` long, and nothing else.
struct request_phases {
  using us = std::chrono::microseconds;
  us total{0};          // from the end of the head to the end of the answer
  us server{0};         // = authentication + metadata + rest
  us authentication{0}; // with the rows that it needs
  us metadata{0};       // look-ups and commits that the gateway waits for, after the authentication
  us rest{0};           // of a download the first chunk, of an upload the last chunks and the commit; waiting for turns
  us body{0};           // receiving the body, while the node stores it
  us transfer{0};       // from the first byte of the answer to its end
};

// What was measured, as durations from the end of the head.
struct request_times {
  std::chrono::nanoseconds total{0}, body{0}, authentication{0}, metadata{0};
  std::optional<std::chrono::nanoseconds> first_byte; // nullopt: there was no answer
};
request_phases phases_of(const request_times& measured);

struct slow_request {
  wall_ms time = 0;    // of its end
  std::string request; // x-amz-request-id
  std::string address, access_key, operation, bucket, key;
  unsigned status = 0; // 0: the connection ended before an answer
  request_phases phases;
  steady_time began{}; // the end of its head
  request_trace::recorded spans{};
  std::string trace{}; // the trace id, if the request's spans are exported
};

class slow_requests {
public:
  static constexpr std::size_t kept_max = 64;

  slow_requests(const clock& time, node_metrics& metrics) : metrics_(metrics), pace_(time, pause) {}

  void note(slow_request slow);
  std::vector<slow_request> latest() const; // newest first

private:
  static constexpr std::chrono::milliseconds pause{250};

  node_metrics& metrics_;
  mutable std::mutex mutex_;
  log_pace pace_;
  std::deque<slow_request> kept_;
};

} // namespace cairn::net
