#include "base/sockets/listener.hpp"

#include "base/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace cairn::sockets {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {
constexpr auto failure_log_pause = std::chrono::seconds{10};
} // namespace

result<void> listen_on(acceptor& listening, const config::endpoint& where) {
  boost::system::error_code failed;
  const auto name = where.host == "localhost" ? std::string{"127.0.0.1"} : where.host;
  const auto address = asio::ip::make_address(name, failed);
  const tcp::endpoint endpoint{address, where.port};
  if (!failed) listening.open(endpoint.protocol(), failed);
  if (!failed) listening.set_option(tcp::acceptor::reuse_address{true}, failed);
  if (!failed) listening.bind(endpoint, failed);
  if (!failed) listening.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return error{errc::io_error, "listen on " + config::format(where) + ": " + failed.message()};
  return {};
}

config::endpoint endpoint_of(const acceptor& listening) {
  boost::system::error_code failed;
  const auto endpoint = listening.local_endpoint(failed);
  return failed ? config::endpoint{} : config::endpoint{endpoint.address().to_string(), endpoint.port()};
}

void spare_descriptor::keep() {
  if (held_ < 0) held_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool spare_descriptor::give_up() {
  if (held_ < 0) return false;
  ::close(std::exchange(held_, -1));
  return true;
}

accept_failures::accept_failures(std::string_view event, const storage::clock& clock)
    : event_(event), pace_(clock, failure_log_pause) {}

void accept_failures::note(const boost::system::error_code& failed) {
  if (const auto left_out = pace_.due())
    log::warn(event_, {{"error", failed.message()}, {"left_out_since_the_last", *left_out}});
}

} // namespace cairn::sockets
