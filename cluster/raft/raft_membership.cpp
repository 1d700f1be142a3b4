#include "cluster/raft/raft_membership.hpp"

#include <algorithm>
#include <iterator>

namespace cairn::cluster::raft {

std::optional<configuration> changed(const configuration& from, server_id id, change_kind kind) {
  configuration next = from;
  const auto found = std::ranges::find(next.servers, id, &server::id);
  const bool there = found != next.servers.end();
  const bool voter = there && found->role == server_role::voter;
  switch (kind) {
    case change_kind::add_standby:
      if (there || id == 0 || next.servers.size() >= servers_max) return std::nullopt;
      next.servers.insert(std::ranges::upper_bound(next.servers, id, {}, &server::id), {id, server_role::standby});
      return next;
    case change_kind::promote:
      if (!there || voter) return std::nullopt;
      found->role = server_role::voter;
      return next;
    case change_kind::demote:
      if (!voter || next.voters() == 1) return std::nullopt;
      found->role = server_role::standby;
      return next;
    case change_kind::remove:
      if (!there || voter) return std::nullopt;
      next.servers.erase(found);
      return next;
  }
  return std::nullopt;
}

void configuration_history::reset(index_t index, configuration servers) {
  changes_.clear();
  if (index != 0) changes_[index] = std::move(servers);
}

void configuration_history::forget_before(index_t index) {
  auto from = changes_.upper_bound(index);
  if (from == changes_.begin()) return;
  changes_.erase(changes_.begin(), std::prev(from));
}

configuration_history::known configuration_history::at(index_t index) const {
  const auto behind = changes_.upper_bound(index);
  if (behind == changes_.begin()) return {};
  return {std::prev(behind)->first, std::prev(behind)->second};
}

const configuration* configuration_history::change_at(index_t index) const {
  const auto found = changes_.find(index);
  return found == changes_.end() ? nullptr : &found->second;
}

} // namespace cairn::cluster::raft
