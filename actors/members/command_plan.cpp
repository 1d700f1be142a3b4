#include "actors/members/command_plan.hpp"

#include "cluster/membership_controller.hpp"
#include "cluster/raft/log_servers.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

using cluster::member_state;

std::string node_text(node_number n) {
  return "node " + std::to_string(n);
}

// The number of partitions that the node owns now or in the target.
std::size_t owned(const cluster::layout& l, node_number n) {
  return std::size_t(std::ranges::count_if(
      l.partitions, [&](const auto& owners) { return owners.current.contains(n) || owners.target.contains(n); }));
}

bool others_hold(const cluster::layout& l, node_number n) {
  return std::ranges::any_of(l.members, [&](const auto& m) { return m.number != n && cluster::holds_chunks(m); });
}

error none_left(node_number n) {
  return {errc::precondition_failed,
          "no other node is active and has a weight: no node could take over the data of " + node_text(n)};
}

result<command_plan> to_state(const cluster::layout& l, const cluster::member& m, member_state wanted) {
  const bool drains = wanted == member_state::draining;
  if (m.state == wanted)
    return command_plan{{}, node_text(m.number) + (drains ? " is draining" : " is active") + " already"};
  if (drains && !others_hold(l, m.number)) return none_left(m.number);
  return command_plan{cluster::change::set_state{m.number, wanted},
                      drains ? node_text(m.number) + " drains: " + std::to_string(owned(l, m.number)) +
                                   " partitions move to others; `cairn cluster status` shows how far that is"
                             : node_text(m.number) + " is active: it is given its share"};
}

std::string way_to_none(const cluster::layout& l, const cluster::member& m) {
  if (m.state == member_state::active) return "drain it first, and wait until it has none";
  if (others_hold(l, m.number)) return "they are moving to others, wait until it has none";
  return "no other node is active and has a weight, so they cannot move: `cairn cluster activate` one, or set its "
         "weight";
}

result<command_plan> removal(const cluster::layout& l, const cluster::member& m) {
  if (const auto has = owned(l, m.number); has > 0)
    return error{errc::precondition_failed,
                 node_text(m.number) + " still owns " + std::to_string(has) + " partitions: " + way_to_none(l, m)};
  return command_plan{cluster::change::remove{m.number}, removed_text(m.number)};
}

} // namespace

bool is_removed(const cluster::layout& l, const admin_command& c) {
  return c.kind == admin_verb::remove && c.node < l.members.size() && l.members[c.node].state == member_state::removed;
}

std::string removed_text(node_number n) {
  return node_text(n) + " is removed, for good: its identity is refused from now on";
}

result<command_plan> plan_command(const cluster::layout& l, const admin_command& c) {
  if (c.node >= l.members.size()) return error{errc::not_found, "the cluster has no " + node_text(c.node)};
  const auto& m = l.members[c.node];
  if (m.state == member_state::removed)
    return error{errc::precondition_failed, node_text(c.node) + " was removed from the cluster"};
  switch (c.kind) {
    case admin_verb::drain: return to_state(l, m, member_state::draining);
    case admin_verb::activate: return to_state(l, m, member_state::active);
    case admin_verb::remove: return removal(l, m);
    case admin_verb::weight:
      if (m.weight == c.number) return command_plan{{}, node_text(c.node) + " has that weight already"};
      if (c.number == 0 && !others_hold(l, c.node)) return none_left(c.node);
      return command_plan{cluster::change::set_weight{c.node, c.number},
                          node_text(c.node) + " has the weight " + std::to_string(c.number)};
    case admin_verb::zone:
      if (m.zone == c.zone) return command_plan{{}, node_text(c.node) + " is in that zone already"};
      return command_plan{cluster::change::set_zone{c.node, c.zone}, node_text(c.node) + " is in the zone " + c.zone};
    default: return error{errc::invalid_argument, "not a command about a node"};
  }
}

namespace {

bool votes(const voters_view& v, node_number n) {
  return v.servers.is_voter(cluster::server_of(n));
}

bool is_up(const voters_view& v, node_number n) {
  return n < v.up.size() && v.up[n];
}

result<void> may_be_voter(const voters_view& v, node_number n) {
  const auto& members = v.layout->members;
  if (n >= members.size()) return error{errc::not_found, "the cluster has no " + node_text(n)};
  if (members[n].state == member_state::removed)
    return error{errc::precondition_failed, node_text(n) + " was removed from the cluster"};
  if (votes(v, n)) return {};
  if (!is_up(v, n)) return error{errc::precondition_failed, node_text(n) + " is down: it could not vote"};
  if (!v.servers.find(cluster::server_of(n)))
    return error{errc::precondition_failed, node_text(n) + " has not got the metadata's log yet: try again"};
  return {};
}

} // namespace

result<void> may_vote(const voters_view& v, std::span<const node_number> wanted) {
  const auto members = std::size_t(
      std::ranges::count_if(v.layout->members, [](const auto& m) { return m.state != member_state::removed; }));
  const auto voters = cluster::wanted_voters(members);
  if (wanted.size() != voters)
    return error{errc::precondition_failed, "a cluster of " + std::to_string(members) + " nodes has " +
                                                std::to_string(voters) + " voters: name " + std::to_string(voters) +
                                                " nodes, not " + std::to_string(wanted.size())};
  for (const auto n : wanted)
    if (auto good = may_be_voter(v, n); !good) return good;
  const auto up = std::size_t(std::ranges::count_if(wanted, [&](auto n) { return is_up(v, n); }));
  if (up * 2 > voters) return {};
  return error{errc::precondition_failed, "only " + std::to_string(up) + " of these " + std::to_string(voters) +
                                              " are up: the cluster would lose its majority"};
}

std::optional<voter_change> next_voter_change(const voters_view& v, std::span<const node_number> wanted) {
  using cluster::raft::change_kind;
  const auto is_wanted = [&](node_number n) { return std::ranges::find(wanted, n) != wanted.end(); };
  const auto fresh = std::ranges::find_if(wanted, [&](auto n) { return !votes(v, n); });
  if (fresh != wanted.end() && v.servers.voters() <= wanted.size()) return voter_change{*fresh, change_kind::promote};
  std::optional<node_number> going;
  for (const auto& s : v.servers.servers) {
    const auto n = cluster::node_of(s.id);
    if (s.role != cluster::raft::server_role::voter || is_wanted(n)) continue;
    if (!going || (is_up(v, *going) && !is_up(v, n))) going = n;
  }
  if (going) return voter_change{*going, change_kind::demote};
  if (fresh != wanted.end()) return voter_change{*fresh, change_kind::promote};
  return std::nullopt;
}

} // namespace cairn::actors
