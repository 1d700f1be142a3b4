// The admin port: /health/live, /health/ready and /metrics for probes and Prometheus, /cluster and /cluster/command for
// `cairn cluster` (net/admin/cluster_page.hpp), /keys/command for `cairn key` (net/admin/keys_page.hpp). One request a
// connection. Requests that change something need the node's token, also over loopback; wrong tokens are answered after
// a pause. Requests that only read need the token or a Host name that DNS rebinding cannot produce
// (net/wire/grammar/host_check.hpp), except for /health. TLS with admin.tls. Start-up code owns the server and runs the
// io_context; methods may be called from any thread.
#pragma once

#include "actors/runtime/storage_node.hpp"
#include "config/config.hpp"
#include "net/admin/keys_page.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace cairn::net {

struct admin_times {
  // Of each: the TLS handshake and the head; the answer's way to the client.
  std::chrono::milliseconds client{10'000};
  // Of the node's work in between. Longer than any actor takes to answer: a command of the cluster 20 s, of a key 30 s.
  std::chrono::milliseconds work{40'000};
};

struct admin_options {
  std::function<actors::node_status()> status; // called for every ready and metrics request; cheap, thread-safe
  std::function<std::string()> metrics;        // returns the metrics page
  bool clustered = false;                      // the node is a member of a cluster
  std::string token = {};                      // admin.token, or the generated one; empty: no changes allowed
  admin_times times = {};
};

// The actors of an open node, which handle the requests.
struct admin_targets {
  key_page_services keys;
  actors::admin_service_actor admin_service; // null: a standalone node
};

class admin_server {
public:
  admin_server(boost::asio::io_context& context, const config::admin_settings& settings, admin_options options,
               const storage::clock& clock = storage::system_clock());
  ~admin_server(); // closes the listener; requests in progress continue

  // io_error, as http_server::listen; errors of tls_context::load.
  result<void> listen();
  // SIGHUP: reads the certificate again, for new connections. After an error the old certificate stays in use.
  result<void> apply(const config::admin_settings& settings);
  storage::wall_ms certificate_end() const; // 0: no TLS
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
