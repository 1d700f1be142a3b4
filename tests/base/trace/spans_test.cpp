#include "base/trace/spans.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace cairn::spans_test {

using namespace std::chrono_literals;

constexpr steady_time origin{1h};

struct set_clock final : clock {
  steady_time now() const override {
    ++readings;
    return time;
  }
  wall_ms wall() const override { return 0; }
  steady_time time = origin;
  mutable int readings = 0;
};

trace_span read_of(std::uint32_t chunk, std::chrono::milliseconds took) {
  return {.name = span_name::read_chunk, .start = origin, .end = origin + took, .chunk = chunk};
}

auto chunks_in(const request_trace::recorded& r) {
  return std::ranges::count_if(r.spans, [](const trace_span& s) { return s.name == span_name::read_chunk; });
}

TEST(request_trace, knows_which_span_began_within_which) {
  set_clock time;
  const trace_scope request{std::make_shared<request_trace>()};
  const auto look_up = request.begin(span_name::look_up, time);
  const auto barrier = look_up.begin(span_name::barrier, time);
  time.time += 2ms;
  barrier.end(time);
  look_up.end(time, errc::no_such_key);
  look_up.of_request().add(read_of(7, 3ms));
  const auto got = request.trace->close(time.now());
  ASSERT_EQ(got.spans.size(), 3u);
  EXPECT_EQ(got.spans[0].parent, 0);
  EXPECT_EQ(got.spans[0].outcome, errc::no_such_key);
  EXPECT_EQ(got.spans[1].parent, 1);
  EXPECT_EQ(got.spans[1].end - got.spans[1].start, 2ms);
  EXPECT_EQ(got.spans[2].parent, 0);
  EXPECT_EQ(got.spans[2].chunk, 7u);
  EXPECT_EQ(got.left_out, 0u);
}

TEST(request_trace, ends_open_spans_and_ignores_later_ones) {
  set_clock time;
  const trace_scope request{std::make_shared<request_trace>()};
  const auto open = request.begin(span_name::commit, time);
  const auto got = request.trace->close(origin + 5ms);
  EXPECT_EQ(got.spans.at(0).end, origin + 5ms);
  open.end(time);
  request.add(read_of(0, 1ms));
  EXPECT_EQ(request.begin(span_name::look_up, time).parent, 0);
  EXPECT_TRUE(request.trace->close(time.now()).spans.empty());
}

TEST(request_trace, keeps_the_longest_reads_of_a_long_download) {
  request_trace trace;
  for (std::uint32_t i = 0; i < 1000; ++i) trace.add(read_of(i, std::chrono::milliseconds{1 + i * 7919 % 1000}));
  const auto got = trace.close(origin);
  ASSERT_EQ(got.spans.size(), request_trace::chunk_spans_max);
  EXPECT_EQ(got.left_out, 1000 - request_trace::chunk_spans_max);
  for (const auto& s : got.spans)
    EXPECT_GT(s.end - s.start, std::chrono::milliseconds{1000 - request_trace::chunk_spans_max});
}

TEST(request_trace, has_room_for_look_ups_after_many_chunks_and_for_commits_after_both) {
  set_clock time;
  const trace_scope request{std::make_shared<request_trace>()};
  for (std::uint32_t i = 0; i < 100; ++i) request.add(read_of(i, 1ms));
  for (int i = 0; i < 100; ++i) request.begin(span_name::look_up, time).end(time);
  for (int i = 0; i < 100; ++i) request.begin(span_name::commit, time).end(time);
  const auto got = request.trace->close(time.now());
  EXPECT_EQ(got.spans.size(), request_trace::spans_max);
  EXPECT_EQ(std::size_t(chunks_in(got)), request_trace::chunk_spans_max);
  EXPECT_EQ(got.spans.back().name, span_name::commit);
  EXPECT_EQ(got.left_out, 300 - request_trace::spans_max);
}

TEST(request_trace, takes_spans_of_several_threads) {
  request_trace trace;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&trace] {
      for (std::uint32_t i = 0; i < 1000; ++i) trace.add(read_of(i, 1ms));
    });
  for (auto& t : threads) t.join();
  const auto got = trace.close(origin);
  EXPECT_EQ(got.spans.size() + got.left_out, 4000u);
}

TEST(trace_scope, without_a_trace_reads_no_clock) {
  set_clock time;
  const trace_scope none;
  EXPECT_FALSE(none);
  const auto began = none.begin(span_name::look_up, time);
  EXPECT_FALSE(began);
  began.end(time);
  EXPECT_EQ(time.readings, 0);
}

} // namespace cairn::spans_test
