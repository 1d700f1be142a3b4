// Which down members are taken out of the layout without anybody being asked. One that has been down for long enough
// is, unless more than it is broken and copying data around would do harm:
//   - more than 10 % of the nodes are down, and at least two;
//   - all nodes of a zone are down, of two or more (with one node a zone is no more than that node);
//   - what it held would fill the active nodes that are up and have a weight above 85 %.
// A node that was let in and never seen since says nothing about the network: it counts neither way, and is taken out
// as soon as it is overdue, which moves nothing. Nodes that were taken out before and are still down count as down, or
// a failure that spreads would pass one by one. Pure functions.
#pragma once

#include "cluster/layout/layout.hpp"

namespace cairn::cluster {

struct member_health {
  bool down = false;
  bool never_seen = false; // since it was let in
  bool overdue = false;    // down for at least cluster.down_out_after
  // As last reported: of its file systems, whoever filled them, and of its chunks, which others would have to take.
  std::uint64_t used_bytes = 0, capacity_bytes = 0, data_bytes = 0;
};

enum class out_pause : std::uint8_t { none, many_down, zone_down, no_room };
std::string_view to_string(out_pause why) noexcept;

struct out_decision {
  std::vector<member_index> out;      // active or draining members to be taken out, by number
  out_pause paused = out_pause::none; // why (some of) the others that are overdue stay
  std::vector<member_index> waiting;  // those, by number
  // many_down: all members that are down; zone_down: those of zones that are down as a whole; else none. By number.
  std::vector<member_index> because;
  friend bool operator==(const out_decision&, const out_decision&) = default;
};
// `health` by member number.
out_decision decide_out(const layout& l, std::span<const member_health> health);

} // namespace cairn::cluster
