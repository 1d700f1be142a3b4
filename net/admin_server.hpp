// The admin port: /health/live, /health/ready and /metrics for probes and Prometheus. Answers GET and HEAD only, one
// request a connection. Start-up code owns it and runs the io_context; methods may be called from any thread.
#pragma once

#include "actors/storage_node.hpp"
#include "config/config.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace cairn::net {

struct admin_callbacks {
  std::function<actors::node_status()> status; // called for every ready and metrics request; cheap, thread-safe
  std::function<std::string()> metrics;        // the page
};

class admin_server {
public:
  admin_server(boost::asio::io_context& context, config::endpoint listen, admin_callbacks callbacks);
  ~admin_server(); // closes the listener; requests under way end by themselves

  result<void> listen(); // io_error, as http_server::listen
  config::endpoint local_endpoint() const;
  void start();
  void stop();
  void set_stopping(); // not ready any more: the node drains

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace cairn::net
