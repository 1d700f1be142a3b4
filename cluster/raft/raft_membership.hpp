// The configuration of servers at each index of the log, and the permitted changes. A change concerns one server, so
// that any two majorities of consecutive configurations intersect. A server is added as a standby, promoted when it has
// caught up, and demoted before it is removed.
#pragma once

#include "cluster/raft/raft_core.hpp"

#include <map>
#include <optional>

namespace cairn::cluster::raft {

// The configuration after a change of one server; nullopt if the change is not permitted: the server to add exists or
// the one to change does not, it has the wrong role, it is the last voter, or there are more than servers_max.
std::optional<configuration> changed(const configuration& from, server_id id, change_kind kind);

class configuration_history {
public:
  struct known {
    index_t index = 0; // of the change; 0: no configuration yet
    configuration servers;
  };

  void reset(index_t index, configuration servers);
  void add(index_t index, configuration servers) { changes_[index] = std::move(servers); }
  void truncate(index_t index) { changes_.erase(changes_.lower_bound(index), changes_.end()); }
  // Forgets the configurations that no index ≥ `index` needs.
  void forget_before(index_t index);

  known at(index_t index) const;
  const configuration* change_at(index_t index) const;
  // The changes in (after, up_to].
  std::map<index_t, configuration> between(index_t after, index_t up_to) const {
    return {changes_.upper_bound(after), changes_.upper_bound(up_to)};
  }

private:
  std::map<index_t, configuration> changes_;
};

} // namespace cairn::cluster::raft
