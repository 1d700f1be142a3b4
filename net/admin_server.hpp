// The admin port: /health/live, /health/ready and /metrics for probes and Prometheus, /cluster and /cluster/command for
// `cairn cluster` (net/cluster_page.hpp), /keys/command for `cairn key` (net/keys_page.hpp). One request a connection.
// Start-up code owns it and runs the io_context; methods may be called from any thread.
#pragma once

#include "actors/cluster_status.hpp"
#include "actors/storage_node.hpp"
#include "config/config.hpp"
#include "net/keys_page.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace cairn::net {

struct admin_callbacks {
  std::function<actors::node_status()> status; // called for every ready and metrics request; cheap, thread-safe
  std::function<std::string()> metrics;        // the page
  // No function: the node is of no cluster. `done` must be called once, within some seconds, by any thread.
  std::function<void(std::function<void(result<actors::cluster_status>)> done)> cluster = {};
  // An operator's wish. `done` must be called once, within half a minute, by any thread: what was done, for people.
  std::function<void(actors::membership_command, std::function<void(result<std::string>)> done)> command = {};
  // Likewise, about access keys.
  std::function<void(key_command, std::function<void(result<std::string>)> done)> keys = {};
  std::string token = {}; // admin.token
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
