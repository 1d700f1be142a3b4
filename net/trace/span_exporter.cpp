#include "net/trace/span_exporter.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace cairn::net {

span_exporter::span_exporter(trace_resource node, sender send, node_metrics& metrics, const clock& time,
                             span_exporter_limits limits)
    : node_(std::move(node)), send_(std::move(send)), metrics_(metrics), clock_(time), limits_(limits), thread_([this] {
        run();
      }) {}

span_exporter::~span_exporter() {
  stop();
}

void span_exporter::drop(std::size_t spans) {
  metrics_.trace_spans_dropped.fetch_add(spans, std::memory_order_relaxed);
}

void span_exporter::offer(traced_request request) {
  const auto spans = request.size();
  bool wakes = false;
  {
    const std::lock_guard guard{mutex_};
    if (stop_at_ || queued_spans_ + spans > limits_.queue_spans) return drop(spans);
    wakes = queue_.empty() || (queued_spans_ < limits_.batch_spans && queued_spans_ + spans >= limits_.batch_spans);
    queued_spans_ += spans;
    queue_.push_back(std::move(request));
  }
  if (wakes) wake_.notify_one();
}

void span_exporter::stop() {
  {
    const std::lock_guard guard{mutex_};
    if (!stop_at_) stop_at_ = clock_.now() + limits_.stop_patience;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool span_exporter::out_of_patience() const {
  return stop_at_ && (failing_ || clock_.now() >= *stop_at_);
}

void span_exporter::run() {
  auto pause = limits_.pause_min;
  std::unique_lock lock{mutex_};
  while (true) {
    wake_.wait(lock, [this] { return stop_at_ || !queue_.empty(); });
    wake_.wait_for(lock, limits_.gather, [this] { return stop_at_ || queued_spans_ >= limits_.batch_spans; });
    if (queue_.empty()) return;
    if (out_of_patience()) return drop(queued_spans_);
    auto batch = next_batch();
    lock.unlock();
    const bool sent = send(std::move(batch));
    lock.lock();
    if (sent) {
      pause = limits_.pause_min;
      continue;
    }
    wake_.wait_for(lock, pause, [this] { return stop_at_.has_value(); });
    pause = std::min(2 * pause, limits_.pause_max);
  }
}

std::vector<traced_request> span_exporter::next_batch() {
  std::vector<traced_request> out;
  std::size_t spans = 0;
  while (!queue_.empty() && (out.empty() || spans + queue_.front().size() <= limits_.batch_spans)) {
    spans += queue_.front().size();
    out.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_spans_ -= spans;
  return out;
}

// Without the lock.
bool span_exporter::send(std::vector<traced_request> batch) {
  std::size_t spans = 0;
  for (const auto& request : batch) spans += request.size();
  const auto sent = send_(otlp_json(batch, node_));
  if (sent) {
    metrics_.trace_spans_sent.fetch_add(spans, std::memory_order_relaxed);
    if (std::exchange(failing_, false)) log::info("the trace collector takes spans again");
    return true;
  }
  drop(spans);
  if (!std::exchange(failing_, true))
    log::warn("the trace collector takes no spans; they are dropped", {{"error", to_string(sent.error())}});
  return false;
}

} // namespace cairn::net
