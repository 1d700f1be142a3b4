// Sends the spans of sampled requests to a collector, in batches, from a thread of its own. No request waits for it:
// what a bounded queue does not take, and what the collector does not take, is dropped and counted. After a failure the
// exporter pauses, longer each time, so that a dead collector costs a connection attempt every half minute.
#pragma once

#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "net/trace/otlp.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace cairn::net {

struct span_exporter_limits {
  std::size_t queue_spans = 4096, batch_spans = 512;            // a request's spans stay together
  std::chrono::milliseconds gather{1000};                       // a batch waits so long for more spans
  std::chrono::milliseconds pause_min{1000}, pause_max{30'000}; // after a failure
  std::chrono::milliseconds stop_patience{2000};                // for what is queued when the node stops
};

// Thread-safe. The metrics and the clock outlive it.
class span_exporter {
public:
  // Sends one body (net/trace/otlp.hpp) and waits for the answer, for a bounded time. On the exporter's thread.
  using sender = std::function<result<void>(std::string body)>;

  span_exporter(trace_resource node, sender send, node_metrics& metrics, const clock& time,
                span_exporter_limits limits = {});
  ~span_exporter();
  span_exporter(const span_exporter&) = delete;
  span_exporter& operator=(const span_exporter&) = delete;

  void offer(traced_request request); // never waits
  void stop();                        // sends what is queued, within stop_patience; idempotent

private:
  void run();
  bool send(std::vector<traced_request> batch);
  std::vector<traced_request> next_batch();
  void drop(std::size_t spans);
  bool out_of_patience() const;

  const trace_resource node_;
  const sender send_;
  node_metrics& metrics_;
  const clock& clock_;
  const span_exporter_limits limits_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<traced_request> queue_;
  std::size_t queued_spans_ = 0;
  std::optional<steady_time> stop_at_; // nullopt: it is not stopping
  bool failing_ = false;               // used by the thread alone
  std::thread thread_;
};

} // namespace cairn::net
