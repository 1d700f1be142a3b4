#include "cli/service_watchdog.hpp"

#include "base/third_party/asio.hpp"

#include <charconv>

namespace cairn::cli {

namespace {

std::int64_t number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} && end == text.data() + text.size() ? value : 0;
}

} // namespace

std::chrono::microseconds watchdog_period(std::string_view usec, std::string_view pid, std::int64_t own_pid) {
  if (!pid.empty() && number_of(pid) != own_pid) return {};
  return std::chrono::microseconds{std::max<std::int64_t>(number_of(usec), 0)};
}

service_watchdog::service_watchdog(boost::asio::io_context& own, std::vector<boost::asio::io_context*> watched,
                                   std::chrono::microseconds period, std::function<void()> alive)
    : watched_(std::move(watched)), period_(period), alive_(std::move(alive)), timer_(own) {}

void service_watchdog::start() {
  if (period_.count() > 0) ask();
}

void service_watchdog::ask() {
  if (unanswered_->load() == 0) {
    alive_();
    unanswered_->store(watched_.size());
    for (auto* context : watched_) boost::asio::post(*context, [left = unanswered_] { left->fetch_sub(1); });
  }
  timer_.expires_after(period_ / 2);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) ask();
  });
}

} // namespace cairn::cli
