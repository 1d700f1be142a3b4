// Which down members the leader takes out of the layout automatically. A member that has been down for
// cluster.down_out_after is taken out, except in a wide outage, when moving data would do harm:
//   - more than 10 % of the nodes, and at least two, are down;
//   - all nodes of a zone are down (only zones of two or more nodes, in a cluster with several zones);
//   - its data would fill the remaining nodes (active, up, with a weight) above 85 %.
// A node that was added and has never been seen says nothing about an outage: it is not counted, and is taken out as
// soon as it is overdue, which moves no data. Nodes that are out and still down count as down; otherwise a spreading
// failure would take nodes out one by one. Pure functions.
#pragma once

#include "cluster/layout/layout.hpp"

namespace cairn::cluster {

struct member_health {
  bool down = false;
  bool never_seen = false;                          // since it was added
  bool overdue = false;                             // down for at least cluster.down_out_after
  std::uint64_t used_bytes = 0, capacity_bytes = 0; // of its file systems, as last reported; by all users of them
  std::uint64_t data_bytes = 0;                     // of its chunks, as last reported: what others would have to take
};

enum class out_pause : std::uint8_t { none, many_down, zone_down, no_room };
std::string_view to_string(out_pause why) noexcept;

struct out_decision {
  std::vector<member_index> out;      // active or draining members to take out, by number
  out_pause paused = out_pause::none; // why the overdue members in `waiting` are not taken out
  std::vector<member_index> waiting;  // by number
  // many_down: all members that are down; zone_down: the members of zones that are down; else empty. By number.
  std::vector<member_index> because;
  friend bool operator==(const out_decision&, const out_decision&) = default;
};
// `health` by member number.
out_decision decide_out(const layout& l, std::span<const member_health> health);

} // namespace cairn::cluster
