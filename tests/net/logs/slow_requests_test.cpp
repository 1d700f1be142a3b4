#include "net/logs/slow_requests.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cairn::net::slow_requests_test {

using namespace std::chrono_literals;

struct moved_clock final : clock {
  steady_time now() const override { return time; }
  wall_ms wall() const override { return 0; }
  steady_time time{1h};
};

TEST(slow_requests, count_for_a_download_the_time_to_the_first_byte) {
  const auto p = phases_of({.total = 60s, .authentication = 2ms, .metadata = 30ms, .first_byte = 100ms});
  EXPECT_EQ(p.server, 100ms);
  EXPECT_EQ(p.authentication, 2ms);
  EXPECT_EQ(p.metadata, 30ms);
  EXPECT_EQ(p.rest, 68ms);
  EXPECT_EQ(p.body, 0ms);
  EXPECT_EQ(p.transfer, 60s - 100ms) << "a client that reads slowly is not a slow node";
  EXPECT_EQ(p.total, 60s);
}

TEST(slow_requests, do_not_count_for_an_upload_the_time_in_which_the_body_arrives) {
  const auto p = phases_of({.total = 61s, .body = 60s, .authentication = 10ms, .first_byte = 60s + 500ms});
  EXPECT_EQ(p.server, 500ms);
  EXPECT_EQ(p.rest, 490ms);
  EXPECT_EQ(p.body, 60s);
  EXPECT_EQ(p.transfer, 500ms);
}

TEST(slow_requests, count_all_but_the_body_of_a_request_that_was_not_answered) {
  EXPECT_EQ(phases_of({.total = 9s}).server, 9s);
  EXPECT_EQ(phases_of({.total = 9s}).transfer, 0s);
  EXPECT_EQ(phases_of({.total = 9s, .body = 8s}).server, 1s);
}

TEST(slow_requests, have_phases_whose_sum_is_the_total_whatever_was_measured) {
  for (const auto body : {0ms, 3ms, 90ms})
    for (const auto metadata : {0ms, 5ms, 500ms})
      for (const auto authentication : {0ms, 7ms, 500ms}) {
        const auto p = phases_of({100ms, body, authentication, metadata, 40ms});
        EXPECT_EQ(p.server, p.authentication + p.metadata + p.rest);
        EXPECT_GE(p.rest, 0ms);
        if (body <= 40ms) {
          EXPECT_EQ(p.server + p.body + p.transfer, p.total);
        }
      }
}

TEST(slow_requests, keep_the_last_of_them_with_names_of_bounded_length) {
  moved_clock time;
  node_metrics metrics;
  slow_requests kept{time, metrics};
  EXPECT_TRUE(kept.latest().empty());
  const std::string long_name(10'000, 'k');
  for (std::size_t i = 0; i < slow_requests::kept_max + 6; ++i) {
    slow_request slow;
    slow.request = std::to_string(i);
    slow.key = long_name;
    kept.note(std::move(slow));
  }
  const auto latest = kept.latest();
  ASSERT_EQ(latest.size(), slow_requests::kept_max);
  EXPECT_EQ(latest.front().request, std::to_string(slow_requests::kept_max + 5));
  EXPECT_EQ(latest.back().request, "6");
  EXPECT_EQ(latest.front().key.size(), 1024u);
  EXPECT_EQ(metrics.slow_requests, slow_requests::kept_max + 6);
}

TEST(slow_requests, write_at_most_four_lines_a_second) {
  moved_clock time;
  node_metrics metrics;
  slow_requests kept{time, metrics};
  testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) {
    kept.note({.request = "r" + std::to_string(i)});
    time.time += 1ms;
  }
  const auto written = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 4) << written;
  EXPECT_NE(written.find("left_out_since_the_last=249"), std::string::npos) << written;
}

} // namespace cairn::net::slow_requests_test
