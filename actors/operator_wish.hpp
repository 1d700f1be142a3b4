// What an operator's wish means for the layout as it is: the change, or why not, in words for people. Pure.
#pragma once

#include "actors/cluster_status.hpp"
#include "cluster/layout_plan.hpp"

#include <optional>
#include <string>

namespace cairn::actors {

struct wish_plan {
  std::optional<cluster::layout_change> change; // nothing: it is so already
  std::string done;                             // what to tell when it is
};

// drain, activate, remove, weight, zone. not_found: no such node. precondition_failed: it was removed; it still owns
// something; no node would be left that takes data. Says nothing about the plan's cost: the caller makes it
// (cluster::plan_change) and may be refused once more.
result<wish_plan> plan_wish(const cluster::layout& l, const membership_command& c);

} // namespace cairn::actors
