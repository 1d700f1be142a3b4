// `peers` over node links: one link to each member, and the server to which members and joining nodes connect.
// membership_gate decides who may connect, on both sides of a connection. Start-up code owns it; the io_contexts run
// before start() and until everything has stopped. Methods may be called from any thread.
#pragma once

#include "actors/link/link_server.hpp"
#include "actors/link/local_handshake.hpp"
#include "actors/link/peer_link.hpp"
#include "actors/link/peers.hpp"

namespace cairn::actors {

struct link_peers_settings {
  config::endpoint listen;
  bool insecure = false;              // plaintext beyond loopback
  std::uint32_t bulk_connections = 2; // to each peer
  link::connection_settings connection;
  link::registry_limits limits;
};

struct link_peers_services {
  std::vector<boost::asio::io_context*> contexts; // outlive this
  std::shared_ptr<const link::tls_identity> tls;  // null: plaintext
  std::shared_ptr<const local_handshake> own;
  std::shared_ptr<link::link_service> service;
  // A member has become reachable or unreachable. Called on threads of the contexts, must not block. May be empty.
  std::function<void(const uuid& node, bool up)> changed = {};
  const cairn::clock& clock = system_clock();
  random_source& random = system_random();
};

struct member_link {
  peer_address member;
  link::link_status status;
};

class link_peers final : public peers {
public:
  link_peers(const link_peers_settings& settings, link_peers_services services);
  ~link_peers() override; // stop()

  // Binds and listens; errors of link_server::listen.
  result<void> listen();
  config::endpoint local_endpoint() const;
  void start();
  void stop(); // requests in flight are answered with stopping

  link::request_number call(const uuid& to, std::string request, steady_time deadline,
                            link::reply_callback reply) override;
  link::request_number call_bulk(const uuid& to, std::string request, slice into, steady_time deadline,
                                 link::reply_callback reply) override;
  link::request_number send_bulk(const uuid& to, std::string request, slice payload, steady_time deadline,
                                 link::reply_callback reply) override;
  void cancel(const uuid& to, link::request_number n) override;
  bool up(const uuid& node) const override;
  // A member with an invalid address (not "host:port") stays unreachable; the address is logged.
  void set_members(const std::vector<peer_address>& members) override;

  // One request to the node at this address, over a separate connection: for a node that wants to join. Answered like
  // the other requests; connection_lost with the reason at once when the address does not answer.
  void ask_member(const config::host_port& address, std::string request, std::chrono::milliseconds timeout,
                  link::reply_callback reply);

  std::vector<member_link> links() const; // for status pages

private:
  class state;
  const std::shared_ptr<state> state_;
};

} // namespace cairn::actors
