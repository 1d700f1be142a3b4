// The admin port's connections: one request each, with TLS by admin.tls. admin_api.hpp answers and decides who may ask
// what; wrong credentials are answered after a pause. Bounded: at the limit a new connection evicts the one that has
// waited longest for its client. Start-up code owns the server and runs the io_context; methods may be called from any
// thread.
#pragma once

#include "base/third_party/asio.hpp"
#include "config/config.hpp"
#include "net/admin/admin_api.hpp"

#include <memory>

namespace cairn::net {

class admin_server {
public:
  admin_server(boost::asio::io_context& context, const config::admin_settings& settings, admin_options options,
               const cairn::clock& clock = system_clock(), random_source& random = system_random());
  ~admin_server(); // closes the listener; requests in progress continue

  // io_error, as http_server::listen; errors of tls_context::load.
  result<void> listen();
  // SIGHUP: reads the certificate again, for new connections. After an error the old certificate stays in use.
  result<void> apply(const config::admin_settings& settings);
  wall_ms certificate_end() const; // 0: no TLS
  config::endpoint local_endpoint() const;
  void start();
  // Until the node is open, and after close_node(), requests for its actors are answered no_leader.
  void open_node(admin_targets targets);
  void close_node(); // before the actor system ends
  void stop();
  void set_stopping(); // the node drains: /health/ready answers that it is not ready

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace cairn::net
