#include "base/sockets/listener.hpp"

#include "base/log.hpp"
#include "base/third_party/asio.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
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

std::string party_of(const boost::asio::ip::address& address) {
  namespace ip = asio::ip;
  if (address.is_v4()) return "ip:" + address.to_string();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return "ip:" + ip::make_address_v4(ip::v4_mapped, v6).to_string();
  auto bytes = v6.to_bytes();
  if (!v6.is_loopback()) std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return "ip:" + ip::address_v6{bytes}.to_string();
}

void spare_descriptor::keep() {
  if (held_ < 0) held_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool spare_descriptor::give_up() {
  if (held_ < 0) return false;
  ::close(std::exchange(held_, -1));
  return true;
}

accept_failures::accept_failures(std::string_view event, const cairn::clock& clock)
    : event_(event), pace_(clock, failure_log_pause) {}

void accept_failures::note(const boost::system::error_code& failed) {
  if (const auto left_out = pace_.due())
    log::warn(event_, {{"error", failed.message()}, {"left_out_since_the_last", *left_out}});
}

} // namespace cairn::sockets
