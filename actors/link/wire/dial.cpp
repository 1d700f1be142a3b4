#include "actors/link/wire/dial.hpp"

#include "base/third_party/asio.hpp"

namespace cairn::actors::link {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Its handlers keep it alive.
class attempt : public std::enable_shared_from_this<attempt> {
public:
  attempt(const link_strand& strand, dial_target target, std::function<void(result<link_socket>)> done)
      : target_(std::move(target)), done_(std::move(done)), resolver_(strand), socket_(strand), timer_(strand) {}

  void start() {
    timer_.expires_after(target_.patience);
    timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->finish(error{errc::timeout, to_string(self->target_) + ": no connection in time"});
    });
    error_code not_numeric;
    const auto address = asio::ip::make_address(target_.host == "localhost" ? "127.0.0.1" : target_.host, not_numeric);
    if (!not_numeric) return connect(tcp::resolver::results_type::create({address, target_.port}, {}, {}));
    resolver_.async_resolve(target_.host, std::to_string(target_.port),
                            [self = shared_from_this()](error_code failed, const tcp::resolver::results_type& found) {
                              if (failed) return self->fail(failed);
                              self->connect(found);
                            });
  }

private:
  void connect(const tcp::resolver::results_type& where) {
    if (!done_) return;
    asio::async_connect(socket_, where, [self = shared_from_this()](error_code failed, const tcp::endpoint& end) {
      if (failed) return self->fail(failed);
      if (!self->target_.plaintext_beyond_loopback && !end.address().is_loopback())
        return self->finish(error{errc::invalid_argument, to_string(self->target_) +
                                                              ": links without TLS stay on loopback addresses unless "
                                                              "cluster.insecure is true"});
      self->finish(std::move(self->socket_));
    });
  }

  void fail(const error_code& failed) {
    finish(error{errc::connection_lost, to_string(target_) + ": " + failed.message()});
  }

  void finish(result<link_socket> r) {
    if (!done_) return;
    timer_.cancel();
    resolver_.cancel();
    error_code ignored;
    if (!r) socket_.close(ignored);
    std::exchange(done_, nullptr)(std::move(r));
  }

  const dial_target target_;
  std::function<void(result<link_socket>)> done_;
  asio::ip::basic_resolver<tcp, link_strand> resolver_;
  link_socket socket_;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, link_strand>
      timer_;
};

} // namespace

std::string to_string(const dial_target& target) {
  const bool v6 = target.host.find(':') != std::string::npos;
  return (v6 ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port);
}

void dial(const link_strand& strand, const dial_target& target, std::function<void(result<link_socket>)> done) {
  const auto a = std::make_shared<attempt>(strand, target, std::move(done));
  asio::post(strand, [a] { a->start(); });
}

} // namespace cairn::actors::link
