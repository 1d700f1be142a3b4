// The server to which a node's peers connect: accepts connections, spreads them over the shards, and requires a hello
// in time. Start-up code owns it and runs the io_contexts; methods may be called from any thread. What a stranger sends
// can end its own connection and nothing else.
#pragma once

#include "actors/link/link_session.hpp"
#include "actors/link/wire/tls.hpp"
#include "base/units.hpp"

namespace cairn::actors::link {

struct link_server_settings {
  config::endpoint listen;
  bool insecure = false; // plaintext also beyond loopback
  connection_settings connection;
  registry_limits limits;
  std::uint32_t requests_max = 4096; // in progress, per connection
};

class link_server {
public:
  // tls: null for plaintext. own: returns this node's hello, called for each connection. admit: refuses peers that are
  // not members, with a text for their logs; may be empty.
  link_server(std::vector<boost::asio::io_context*> shards, const link_server_settings& settings,
              std::shared_ptr<const tls_identity> tls, std::function<hello()> own,
              std::function<result<void>(const peer&)> admit, std::shared_ptr<link_service> service,
              const cairn::clock& clock = system_clock());
  ~link_server(); // stop(); connections end with their last handlers

  // Binds and listens. io_error ("listen on 10.0.0.7:9100: Address already in use"); invalid_argument: plaintext beyond
  // loopback without `insecure`.
  result<void> listen();
  config::endpoint local_endpoint() const;
  void start();
  void stop(); // closes everything
  // Closes the connections of a node that is no longer a member, or only those of its earlier incarnations.
  void disconnect(const uuid& node, std::optional<std::uint64_t> before_incarnation = {});
  std::size_t connections() const;

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace cairn::actors::link
