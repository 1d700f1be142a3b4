// The connections that a link server has accepted: their number, their nodes, and which belong to one link. A link is
// one control connection and the bulk connections with the same link number; they end together. A node that dials again
// (it restarted, or gave up its old link) replaces its old link at once. Thread-safe.
//
// Bounds: all connections; the connections of one node; connections without a hello so far ("strangers"), of which the
// oldest is closed for the newest, so that silent connections cannot keep the peers out.
#pragma once

#include "actors/link/peer_credit.hpp"
#include "actors/link/wire/connection.hpp"

#include <list>
#include <map>
#include <mutex>

namespace cairn::actors::link {

struct registry_limits {
  std::uint32_t connections_max = 4096;
  std::uint32_t connections_per_node_max = 32;
  std::uint32_t strangers_max = 64;
  std::uint64_t credit_bytes = 64 << 20; // per link
};

class link_registry {
public:
  using ticket = std::uint64_t;

  explicit link_registry(const registry_limits& limits) : limits_(limits) {}

  // nullopt: too many connections. May close the oldest stranger.
  std::optional<ticket> arrived(std::weak_ptr<connection> c);
  // The hello of a stranger has arrived; returns the credit of its link. busy; invalid_argument (a second control
  // connection, or a bulk connection without its control connection).
  result<std::shared_ptr<peer_credit>> known(ticket t, const peer& who);
  void gone(ticket t);

  std::vector<std::shared_ptr<connection>> all() const;
  // All connections of the node, or those of incarnations before this one.
  std::vector<std::shared_ptr<connection>> of_node(const uuid& node,
                                                   std::optional<std::uint64_t> before_incarnation) const;
  std::size_t size() const;

private:
  struct member {
    std::weak_ptr<connection> c;
    std::optional<peer> who;
    std::shared_ptr<peer_credit> credit;
  };
  using members = std::map<ticket, member>;
  std::vector<std::shared_ptr<connection>> of_link(const uuid& node, std::uint64_t link, bool others) const;

  const registry_limits limits_;
  mutable std::mutex mutex_;
  members members_;
  std::list<ticket> strangers_; // oldest first
  ticket next_ = 1;
};

} // namespace cairn::actors::link
