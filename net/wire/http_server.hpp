// The HTTP listener: accepts connections, distributes them over the shards, checks their deadlines, drains at the end.
// Start-up code owns the server and runs the io_contexts; methods may be called from any thread.
#pragma once

#include "base/memory/buffer_pool.hpp"
#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "base/third_party/asio.hpp"
#include "config/config.hpp"
#include "net/wire/request_handler.hpp"
#include "net/wire/session_stream.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace cairn::net {

class http_server {
public:
  // The contexts and `metrics` outlive the server and every connection. `memory`: the pool that requests and answers
  // use.
  http_server(std::vector<boost::asio::io_context*> shards, const config::settings& settings,
              std::shared_ptr<request_service> service, std::shared_ptr<buffer_pool> memory, node_metrics& metrics,
              const cairn::clock& clock = system_clock());
  ~http_server(); // stops accepting; connections live on until their contexts end

  // Reads http.tls, binds and listens, so that start() cannot fail. Errors: io_error ("listen on 127.0.0.1:9000:
  // Address already in use"), those of tls_context::load.
  result<void> listen();
  config::endpoint local_endpoint() const; // with the port that the system chose

  // For connections of another port whose requests this server is to handle.
  adopt_connection adopting();

  void start();
  // From now on answers say "Connection: close", so that clients turn to other nodes. All requests are answered.
  void announce_stop();
  void stop_accepting();
  // Closes idle connections at once, busy ones after their answer, and all others after `patience`. Calls `drained`
  // once, on any thread, when no connection is left. Call stop_accepting() first.
  void drain(std::chrono::nanoseconds patience, std::function<void()> drained);
  // SIGHUP: limits.* and http.*_timeout take effect for the next request, http.tls for the next connection. After an
  // error http.tls is unchanged.
  result<void> apply(const config::settings& settings);
  wall_ms certificate_end() const; // 0: no TLS

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace cairn::net
