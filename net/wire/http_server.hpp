// The HTTP listener: accepts connections, spreads them over the shards, sweeps their deadlines, drains at the end.
// Start-up code owns it and runs the io_contexts; methods may be called from any thread.
#pragma once

#include "base/memory/buffer_pool.hpp"
#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "config/config.hpp"
#include "net/wire/request_handler.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace cairn::net {

class http_server {
public:
  // The contexts outlive the server and every connection, `metrics` too. `memory`: what requests and answers use.
  http_server(std::vector<boost::asio::io_context*> shards, const config::settings& settings,
              std::shared_ptr<request_service> service, std::shared_ptr<storage::buffer_pool> memory,
              storage::node_metrics& metrics, const storage::clock& clock = storage::system_clock());
  ~http_server(); // stops accepting; connections live on until their contexts end

  // Reads http.tls, binds and listens, so that start() cannot fail. io_error ("listen on 127.0.0.1:9000: Address
  // already in use"), what tls_context::load says.
  result<void> listen();
  config::endpoint local_endpoint() const; // with the port that the system chose

  void start();
  void stop_accepting();
  // Idle connections close, busy ones after their answer; what is left after `patience` is cut off. `drained` is called
  // once, on any thread, when no connection is left. After stop_accepting().
  void drain(std::chrono::nanoseconds patience, std::function<void()> drained);
  // SIGHUP: limits.* and http.*_timeout take effect for the next request, http.tls for the next connection. An error
  // says why http.tls is as it was.
  result<void> apply(const config::settings& settings);
  storage::wall_ms certificate_end() const; // 0: no TLS

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace cairn::net
