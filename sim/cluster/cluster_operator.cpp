#include "sim/cluster/cluster_operator.hpp"

#include "actors/members/command_plan.hpp"

#include <algorithm>

namespace cairn::sim {

namespace {

using actors::admin_command;
using actors::admin_verb;

// The errors that an operator may get: the command cannot be executed now, or its outcome is unknown.
const std::set<errc> refusals{
    errc::precondition_failed, errc::not_found,       errc::no_leader, errc::timeout, errc::busy, errc::stopping,
    errc::connection_lost,     errc::invalid_argument};

bool holds(const cluster::member& m) {
  return m.state == cluster::member_state::active && m.weight > 0;
}

} // namespace

bool cluster_operator::leaves_two_holders(const cluster::layout& l, const admin_command& c) const {
  const bool takes = c.kind == admin_verb::drain || (c.kind == admin_verb::weight && c.number == 0);
  const auto others = std::ranges::count_if(l.members, [&](const auto& m) { return m.number != c.node && holds(m); });
  return !takes || others >= 2;
}

void cluster_operator::act() {
  auto& d = w_.draw;
  const auto number = d.pick(nodes_)->member_number();
  admin_command c;
  c.kind = d.pick(std::vector{admin_verb::drain, admin_verb::activate, admin_verb::activate, admin_verb::weight,
                              admin_verb::weight, admin_verb::zone, admin_verb::remove});
  c.number = std::uint32_t(d.chance(0.15) ? 0 : d.between(1, 4));
  c.zone = "zone-" + std::to_string(d.below(3));
  if (!number) return;
  c.node = *number;
  const auto done = run(c);
  (done ? done_ : refused_) += 1;
  if (!done && !refusals.contains(done.error().code))
    checks_.fail("an operator's command failed without a planned reason: " + to_string(done.error()));
}

result<void> cluster_operator::run(const admin_command& c) {
  const auto leader = std::ranges::find_if(nodes_, [](const auto& n) { return n->leads(); });
  const auto layout = leader == nodes_.end() ? nullptr : (*leader)->layout();
  if (!layout) return error{errc::no_leader, "there is no leader"};
  if (!leaves_two_holders(*layout, c)) return error{errc::precondition_failed, "too few nodes would be left"};
  const auto plan = actors::plan_command(*layout, c);
  if (!plan) return plan.error();
  if (!plan->change) return {};
  const auto made = cluster::plan_change(*layout, *plan->change);
  if (!made) return made.error();
  const auto life = (*leader)->lives();
  // The first command is the operator's. Targets that a concurrent change made invalid are planned again by the
  // membership controller.
  bool first = true;
  for (const auto& command : made->commands) {
    if (!(*leader)->serves() || (*leader)->lives() != life) return error{errc::connection_lost, "the leader crashed"};
    const auto done = commands_.try_once(**leader, command);
    if (!done) return first ? done : result<void>{};
    first = false;
  }
  return {};
}

std::string cluster_operator::summary() const {
  return "commands " + std::to_string(done_) + " and " + std::to_string(refused_) + " refused";
}

} // namespace cairn::sim
