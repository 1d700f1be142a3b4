// Proves to the service manager that the node's event loops run: twice per period each loop gets a task, and `alive` is
// called once all of them ran. A loop that hangs ends the calls, and the service manager restarts the process. A disk
// that hangs does not: the loops never wait for disks.
#pragma once

#include "base/third_party/asio.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace cairn::cli {

// The period that the service manager asks this process for: $WATCHDOG_USEC, unless $WATCHDOG_PID names another
// process. 0: none.
std::chrono::microseconds watchdog_period(std::string_view usec, std::string_view pid, std::int64_t own_pid);

class service_watchdog {
public:
  // `own` runs the timer and `alive`; no period: it does nothing.
  service_watchdog(boost::asio::io_context& own, std::vector<boost::asio::io_context*> watched,
                   std::chrono::microseconds period, std::function<void()> alive);
  void start(); // in a handler of `own`, or before it runs

private:
  void ask();

  std::vector<boost::asio::io_context*> watched_;
  std::chrono::microseconds period_;
  std::function<void()> alive_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<std::atomic<std::size_t>> unanswered_ = std::make_shared<std::atomic<std::size_t>>(0);
};

} // namespace cairn::cli
