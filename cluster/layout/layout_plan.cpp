#include "cluster/layout/layout_plan.hpp"

#include "cluster/layout/placement.hpp"
#include "cluster/layout/shares.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace cairn::cluster {

namespace {

namespace meta = storage::metadata;

error invalid(std::string text) {
  return {errc::invalid_argument, std::move(text)};
}

// The members that hold chunks, and the weights with which the ranking draws them.
struct candidates {
  std::vector<member_index> numbers;
  std::vector<std::size_t> zones; // of each, numbered from 0
  std::size_t zone_count = 0;
  std::size_t copies = 0;
  std::vector<placement_member> drawn; // weights are the rates of the draw
};

candidates candidates_of(const layout& l) {
  candidates c;
  std::map<std::string_view, std::size_t> zone_numbers;
  std::vector<double> weights;
  for (const member& m : l.members) {
    if (!holds_chunks(m)) continue;
    c.numbers.push_back(m.number);
    c.zones.push_back(zone_numbers.try_emplace(m.zone, zone_numbers.size()).first->second);
    weights.push_back(m.weight);
  }
  c.zone_count = zone_numbers.size();
  c.copies = std::min<std::size_t>(l.replicas, c.numbers.size());
  std::vector<double> rates;
  if (c.zone_count >= c.copies) {
    // The race is between zones: a zone's weight is the sum of its members'. Within a zone, a member's rate is its part
    // of the zone's rate.
    std::vector<double> zone_weights(c.zone_count);
    for (std::size_t i = 0; i < weights.size(); ++i) zone_weights[c.zones[i]] += weights[i];
    const std::vector<double> zone_rates = race_rates(zone_weights, c.copies);
    for (std::size_t i = 0; i < weights.size(); ++i)
      rates.push_back(weights[i] * (zone_rates[c.zones[i]] / zone_weights[c.zones[i]]));
  } else {
    rates = race_rates(weights, c.copies);
  }
  for (std::size_t i = 0; i < rates.size(); ++i) c.drawn.push_back({l.members[c.numbers[i]].id, rates[i]});
  return c;
}

// `ranked`: indexes into the candidates.
owner_list choose(const candidates& c, std::span<const std::uint16_t> ranked, std::vector<bool>& zone_used) {
  owner_list owners;
  zone_used.assign(c.zone_count, false);
  for (const std::uint16_t i : ranked) {
    if (owners.size() == std::min(c.copies, c.zone_count)) break;
    if (zone_used[c.zones[i]]) continue;
    zone_used[c.zones[i]] = true;
    owners.add(c.numbers[i]);
  }
  for (const std::uint16_t i : ranked) {
    if (owners.size() == c.copies) break;
    owners.add(c.numbers[i]); // no effect if it is there already
  }
  return owners;
}

bool owns_something(const layout& l, member_index who) {
  return std::ranges::any_of(l.partitions, [&](const partition_owners& owners) {
    return owners.current.contains(who) || owners.target.contains(who);
  });
}

// Applies the members' part of a change to `plan.after` and appends its command.
class member_change {
public:
  explicit member_change(layout_plan& plan) : plan_(plan) {}

  result<void> operator()(const change::join& c) {
    const auto same_id = [&](const member& m) { return m.id == c.node.id; };
    if (std::ranges::any_of(plan_.after.members, same_id)) return invalid("the node is or was a member");
    if (c.node.weight > meta::node_weight_max) return invalid("not a valid weight");
    if (plan_.after.members.size() >= meta::nodes_max) return invalid("the maximum number of nodes is reached");
    plan_.after.members.push_back({.number = static_cast<member_index>(plan_.after.members.size()),
                                   .id = c.node.id,
                                   .address = c.node.address,
                                   .zone = c.node.zone,
                                   .weight = c.node.weight,
                                   .incarnation = c.node.incarnation});
    return changed(meta::add_node{.node = c.node});
  }
  result<void> operator()(const change::set_state& c) {
    if (c.state == member_state::removed) return invalid("set_state does not remove: use change::remove");
    return set(c.who, &member::state, c.state, meta::set_node{.node = c.who, .state = c.state});
  }
  result<void> operator()(const change::set_weight& c) {
    if (c.weight > meta::node_weight_max) return invalid("not a valid weight");
    return set(c.who, &member::weight, c.weight, meta::set_node{.node = c.who, .weight = c.weight});
  }
  result<void> operator()(const change::set_zone& c) {
    return set(c.who, &member::zone, c.zone, meta::set_node{.node = c.who, .zone = c.zone});
  }
  result<void> operator()(const change::remove& c) {
    if (owns_something(plan_.after, c.who)) return invalid("the node still owns partitions");
    return set(c.who, &member::state, member_state::removed, meta::remove_node{.node = c.who});
  }
  result<void> operator()(const change::retarget&) { return {}; }

private:
  template <class Value>
  result<void> set(member_index who, Value member::*field, const Value& value, meta::command command) {
    if (who >= plan_.after.members.size()) return invalid("no such node");
    member& m = plan_.after.members[who];
    if (m.state == member_state::removed) return invalid("the node was removed");
    if (m.*field == value) return {};
    m.*field = value;
    return changed(std::move(command));
  }
  result<void> changed(meta::command command) {
    ++plan_.after.epoch;
    plan_.commands.push_back(std::move(command));
    return {};
  }

  layout_plan& plan_;
};

void replace_targets(layout_plan& plan) {
  const std::vector<owner_list> wanted = compute_targets(plan.after);
  meta::set_targets command{.epoch = plan.after.epoch + 1};
  for (std::size_t p = 0; p < wanted.size(); ++p) {
    partition_owners& owners = plan.after.partitions[p];
    if (same_nodes(wanted[p], owners.target)) continue;
    // The same nodes as now: keep their order, so that nothing moves.
    owners.target = same_nodes(wanted[p], owners.current) ? owners.current : wanted[p];
    owners.epoch = command.epoch;
    command.targets.push_back({static_cast<partition_id>(p), owners.target});
  }
  if (command.targets.empty()) return;
  plan.after.epoch = command.epoch;
  plan.commands.emplace_back(std::move(command));
}

} // namespace

bool holds_chunks(const member& m) {
  return m.state == member_state::active && m.weight > 0;
}

plan_base plan_base_of(const layout& l) {
  plan_base base{.replicas = l.replicas};
  for (const member& m : l.members)
    if (holds_chunks(m)) base.holders.push_back({m.number, m.weight, m.zone});
  return base;
}

std::vector<owner_list> compute_targets(const layout& l) {
  const candidates c = candidates_of(l);
  const placement ranking{c.drawn};
  std::vector<owner_list> targets(partition_count);
  std::vector<bool> zone_used;
  for (std::size_t p = 0; p < targets.size(); ++p)
    targets[p] = choose(c, ranking.ranked(static_cast<partition_id>(p)), zone_used);
  return targets;
}

result<layout_plan> plan_change(const layout& l, const layout_change& c) {
  layout_plan plan{.after = l};
  if (auto changed = std::visit(member_change{plan}, c); !changed) return changed.error();
  if (std::ranges::none_of(plan.after.members, holds_chunks))
    return invalid("no active node with a weight would be left");
  replace_targets(plan);
  return plan;
}

} // namespace cairn::cluster
