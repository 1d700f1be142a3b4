// The connections that a link server has accepted: how many, whose, which belong together. A link is one control
// connection and the bulk connections that name the same link number; they end together. A node that dials anew (it
// restarted, or gave up on the old link) replaces its old link at once. Thread-safe.
//
// Bounds: all connections, those of one node, and strangers (nobody's yet), of whom the oldest gives way to the newest,
// so that silent connections cannot lock the peers out.
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
  std::uint64_t credit_bytes = 64 << 20; // a link
};

class link_registry {
public:
  using ticket = std::uint64_t;

  explicit link_registry(const registry_limits& limits) : limits_(limits) {}

  // Nothing: there are too many. May close the oldest stranger.
  std::optional<ticket> arrived(std::weak_ptr<connection> c);
  // The stranger says who it is; what its link may have outstanding. busy, invalid_argument (a bulk connection of a
  // link that is not there).
  result<std::shared_ptr<peer_credit>> known(ticket t, const peer& who);
  void gone(ticket t);

  std::vector<std::shared_ptr<connection>> all() const;
  // All of them, or those of the incarnations before this one.
  std::vector<std::shared_ptr<connection>> of_node(const storage::uuid& node,
                                                   std::optional<std::uint64_t> before_incarnation) const;
  std::size_t size() const;

private:
  struct member {
    std::weak_ptr<connection> c;
    std::optional<peer> who;
    std::shared_ptr<peer_credit> credit;
  };
  using members = std::map<ticket, member>;
  std::vector<std::shared_ptr<connection>> of_link(const storage::uuid& node, std::uint64_t link, bool others) const;

  const registry_limits limits_;
  mutable std::mutex mutex_;
  members members_;
  std::list<ticket> strangers_; // oldest first
  ticket next_ = 1;
};

} // namespace cairn::actors::link
