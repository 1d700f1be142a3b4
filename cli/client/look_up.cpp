#include "cli/client/look_up.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <system_error>
#include <thread>

namespace cairn::cli {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr int look_ups_max = 512; // more than a command has connections

found_hosts find_host(const std::string& host, const std::string& port) {
  error_code code;
  asio::io_context context{1};
  asio::ip::tcp::resolver resolver{context};
  auto found = resolver.resolve(host, port, code);
  if (code) return error{errc::connection_lost, "looking up the host: " + code.message()};
  return found;
}

} // namespace

found_hosts look_up(const std::string& host, const std::string& port, std::chrono::milliseconds patience) {
  static std::atomic<int> running{0};
  error_code not_numeric;
  asio::ip::make_address(host, not_numeric);
  if (!not_numeric) return find_host(host, port);
  const error late{errc::timeout, "looking up the host: no answer in time"};
  const auto promised = std::make_shared<std::promise<found_hosts>>();
  auto answered = promised->get_future();
  if (++running > look_ups_max) {
    --running;
    return late;
  }
  try {
    std::thread{[promised, host, port] {
      auto found = find_host(host, port);
      --running;
      promised->set_value(std::move(found));
    }}.detach();
  } catch (const std::system_error& no_thread) {
    --running;
    return error{errc::timeout, std::string{"looking up the host: "} + no_thread.what()};
  }
  return answered.wait_for(patience) == std::future_status::ready ? answered.get() : found_hosts{late};
}

} // namespace cairn::cli
