// The screen of `cairn top`.
#include "cli/monitor/top_view.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::top_view_test {

using namespace std::chrono_literals;

top_sample sample(std::chrono::milliseconds taken, int requests, int errors, int fast, int slow) {
  top_sample s;
  s.taken = taken;
  s.node = R"({"version":"0.1.0","uptime_ms":90000,"connections":3,"downloads":2,"uploads":1,"requests":{"total":)" +
           std::to_string(requests) + R"(,"client_errors":0,"server_errors":)" + std::to_string(errors) +
           R"(,"bytes_sent":0,"bytes_received":0},"memory":{"buffer_bytes":1048576,"buffer_limit_bytes":536870912},)" +
           R"("reasons":[{"severity":"warning","text":"a disk is full"}]})";
  s.metrics = "# HELP cairn_http_requests_total Requests.\n"
              "cairn_http_requests_total{operation=\"get_object\",status=\"2xx\"} " +
              std::to_string(requests - errors) +
              "\ncairn_http_requests_total{operation=\"get_object\",status=\"5xx\"} " + std::to_string(errors) +
              "\ncairn_http_requests_total{operation=\"put_object\",status=\"2xx\"} 7\n"
              "cairn_http_request_duration_seconds_bucket{operation=\"get_object\",le=\"0.001\"} " +
              std::to_string(fast) +
              "\ncairn_http_request_duration_seconds_bucket{operation=\"get_object\",le=\"0.002\"} " +
              std::to_string(fast + slow) +
              "\ncairn_http_request_duration_seconds_bucket{operation=\"get_object\",le=\"+Inf\"} " +
              std::to_string(requests) + "\n";
  return s;
}

std::string joined(const result<std::vector<std::string>>& lines) {
  std::string out;
  for (const auto& line : lines.value()) out += line + "\n";
  return out;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(top_view, reads_the_counters_of_each_operation) {
  const auto found = read_operations(sample(0ms, 100, 4, 60, 40).metrics);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found.at("get_object").requests, 100u);
  EXPECT_EQ(found.at("get_object").server_errors, 4u);
  EXPECT_EQ(found.at("get_object").within, (std::map<double, std::uint64_t>{{0.001, 60}, {0.002, 100}}));
  EXPECT_EQ(found.at("put_object").requests, 7u);
  EXPECT_TRUE(read_operations("nothing {of} the kind\n{\n} 5").empty());
}

TEST(top_view, interpolates_times_between_the_bounds) {
  operation_counters before, now;
  before.requests = 100;
  before.within = {{0.001, 100}, {0.002, 100}};
  now.requests = 200;
  now.within = {{0.001, 150}, {0.002, 190}};
  EXPECT_NEAR(quantile(before, now, 0.25), 0.0005, 1e-9);
  EXPECT_NEAR(quantile(before, now, 0.7), 0.0015, 1e-9);
  EXPECT_NEAR(quantile(before, now, 0.99), 0.002, 1e-9); // above the last bound
  EXPECT_EQ(quantile(now, now, 0.5), 0);
  EXPECT_NEAR(quantile({}, now, 0.5), 0.001 * 100 / 150, 1e-9);
}

TEST(top_view, shows_rates_between_two_looks) {
  const auto text = joined(top_lines(sample(1000ms, 100, 0, 100, 0), sample(3000ms, 300, 10, 200, 100)));
  EXPECT_TRUE(has(text, "Cairn 0.1.0, up for 1:30")) << text;
  EXPECT_TRUE(has(text, "warning: a disk is full")) << text;
  EXPECT_TRUE(has(text, "Requests 100/s, server errors 5.0/s")) << text;
  EXPECT_TRUE(has(text, "memory of requests 1.0 MiB of 512.0 MiB")) << text;
  EXPECT_TRUE(has(text, "get_object                        100.0        5.0     1.0 ms     2.0 ms")) << text;
  EXPECT_FALSE(has(text, "put_object")) << "nothing happened\n" << text;
}

TEST(top_view, begins_anew_after_a_restart_and_shows_the_cluster) {
  auto now = sample(3000ms, 20, 0, 20, 0);
  now.cluster = "Cluster blue\nNODE  \x1b[2J\n";
  const auto text = joined(top_lines(sample(1000ms, 100, 0, 100, 0), now));
  EXPECT_TRUE(has(text, "Requests 10/s")) << text;
  EXPECT_TRUE(has(text, "Cluster blue")) << text;
  EXPECT_FALSE(has(text, "\x1b")) << "an address may not drive the terminal";
}

TEST(top_view, refuses_what_is_no_admin_port) {
  auto other = sample(0ms, 1, 0, 1, 0);
  other.node = "<html>";
  EXPECT_EQ(top_lines(other, sample(1s, 1, 0, 1, 0)).error().code, errc::invalid_argument);
}

} // namespace cairn::cli::top_view_test
