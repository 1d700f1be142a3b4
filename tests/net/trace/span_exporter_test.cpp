#include "net/trace/span_exporter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace cairn::net::span_exporter_test {

using namespace std::chrono_literals;

// A collector that answers what the test wants, and counts the spans that it was sent.
struct collector {
  span_exporter::sender sender() {
    return [this](const std::string& body) -> result<void> {
      if (gate.valid()) gate.wait();
      const std::lock_guard guard{mutex};
      ++requests;
      if (dead) return error{errc::connection_lost, "nobody is there"};
      for (auto at = body.find("\"spanId\":"); at != body.npos; at = body.find("\"spanId\":", at + 1)) ++spans;
      return {};
    };
  }
  std::shared_future<void> gate; // valid: it answers nothing before
  std::atomic<bool> dead{false};
  std::mutex mutex;
  std::size_t requests = 0, spans = 0;
};

traced_request request_with(std::size_t spans) {
  traced_request out;
  out.spans.resize(spans - 1);
  return out;
}

std::uint64_t dropped(const node_metrics& m) {
  return m.trace_spans_dropped.load();
}

bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 2000 && !holds(); ++i) std::this_thread::sleep_for(5ms);
  return holds();
}

TEST(span_exporter, sends_in_batches_all_that_it_was_given) {
  collector there;
  node_metrics metrics;
  {
    span_exporter exporter{{}, there.sender(), metrics, system_clock(), {.batch_spans = 10, .gather = 20ms}};
    for (int i = 0; i < 25; ++i) exporter.offer(request_with(2));
  }
  EXPECT_EQ(there.spans, 50u);
  EXPECT_GE(there.requests, 5u);
  EXPECT_LT(there.requests, 25u);
  EXPECT_EQ(metrics.trace_spans_sent.load(), 50u);
  EXPECT_EQ(dropped(metrics), 0u);
}

TEST(span_exporter, never_holds_more_than_its_queue_and_does_not_wait_for_the_collector) {
  collector stuck;
  std::promise<void> opened;
  stuck.gate = opened.get_future().share();
  node_metrics metrics;
  span_exporter exporter{
      {}, stuck.sender(), metrics, system_clock(), {.queue_spans = 20, .batch_spans = 10, .gather = 0ms}};
  exporter.offer(request_with(10));
  ASSERT_TRUE(eventually([&] {
    exporter.offer(request_with(1));
    return dropped(metrics) > 0;
  }));
  for (int i = 0; i < 100; ++i) exporter.offer(request_with(64));
  EXPECT_GE(dropped(metrics), 6400u);
  opened.set_value();
  exporter.stop();
  EXPECT_EQ(metrics.trace_spans_sent.load(), stuck.spans);
}

TEST(span_exporter, drops_what_a_dead_collector_does_not_take_and_goes_on_when_it_is_back) {
  collector there;
  there.dead = true;
  node_metrics metrics;
  span_exporter exporter{
      {}, there.sender(), metrics, system_clock(), {.gather = 0ms, .pause_min = 1ms, .pause_max = 2ms}};
  exporter.offer(request_with(3));
  ASSERT_TRUE(eventually([&] { return dropped(metrics) == 3; }));
  there.dead = false;
  exporter.offer(request_with(4));
  ASSERT_TRUE(eventually([&] { return metrics.trace_spans_sent.load() == 4; }));
  EXPECT_EQ(dropped(metrics), 3u);
}

TEST(span_exporter, stops_at_once_when_the_collector_is_dead) {
  collector there;
  there.dead = true;
  node_metrics metrics;
  span_exporter exporter{
      {}, there.sender(), metrics, system_clock(), {.batch_spans = 1, .gather = 0ms, .pause_min = 1h, .pause_max = 1h}};
  for (int i = 0; i < 50; ++i) exporter.offer(request_with(1));
  ASSERT_TRUE(eventually([&] { return dropped(metrics) > 0; }));
  exporter.stop();
  EXPECT_EQ(dropped(metrics), 50u);
  EXPECT_LE(there.requests, 2u);
  exporter.offer(request_with(5));
  EXPECT_EQ(dropped(metrics), 55u) << "after the stop nothing is taken";
}

} // namespace cairn::net::span_exporter_test
