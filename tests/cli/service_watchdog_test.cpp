#include "cli/service_watchdog.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::service_watchdog_test {

using namespace std::chrono_literals;

TEST(watchdog_period, is_the_one_that_is_meant_for_this_process) {
  EXPECT_EQ(watchdog_period("30000000", "42", 42), 30s);
  EXPECT_EQ(watchdog_period("30000000", "", 42), 30s);
  EXPECT_EQ(watchdog_period("30000000", "41", 42), 0s);
  for (const auto* nonsense : {"", "0", "-5", "1x", "99999999999999999999"})
    EXPECT_EQ(watchdog_period(nonsense, "42", 42), 0s) << nonsense;
}

TEST(service_watchdog, reports_as_long_as_each_loop_runs) {
  boost::asio::io_context own, first, second;
  int reports = 0;
  service_watchdog watchdog{own, {&first, &second}, 2ms, [&reports] { ++reports; }};
  watchdog.start();
  EXPECT_EQ(reports, 1);
  own.run_for(20ms);
  EXPECT_EQ(reports, 1) << "neither loop has run";
  first.poll();
  first.restart();
  own.run_for(20ms);
  EXPECT_EQ(reports, 1) << "the second loop has not run";
  second.poll();
  second.restart();
  own.run_for(20ms);
  EXPECT_EQ(reports, 2);
  first.poll();
  second.poll();
  own.run_for(20ms);
  EXPECT_EQ(reports, 3);
}

TEST(service_watchdog, does_nothing_without_a_period) {
  boost::asio::io_context own;
  service_watchdog watchdog{own, {}, 0us, [] { FAIL(); }};
  watchdog.start();
  own.run_for(5ms);
}

} // namespace cairn::cli::service_watchdog_test
