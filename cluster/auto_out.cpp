#include "cluster/auto_out.hpp"

#include "cluster/layout/layout_plan.hpp"

#include <algorithm>
#include <map>

namespace cairn::cluster {

namespace {

constexpr std::size_t down_percent_max = 10, down_nodes_min = 2, full_percent_max = 85;

struct zone_count {
  std::size_t nodes = 0, down = 0;
};

// In a wide outage, sets `paused` and `because` in `d`.
void check_wide_outage(const layout& l, std::span<const member_health> health, out_decision& d) {
  zone_count all;
  std::map<std::string_view, zone_count> zones;
  for (const member& m : l.members) {
    if (!is_member(m) || health[m.number].never_seen) continue;
    for (zone_count* const z : {&all, &zones[m.zone]}) {
      ++z->nodes;
      z->down += health[m.number].down;
    }
  }
  const bool many = all.down >= down_nodes_min && all.down * 100 > all.nodes * down_percent_max;
  const auto whole = [](const zone_count& zone) { return zone.nodes > 1 && zone.down == zone.nodes; };
  for (const member& m : l.members)
    if (is_member(m) && health[m.number].down && !health[m.number].never_seen &&
        (many || (zones.size() > 1 && whole(zones[m.zone]))))
      d.because.push_back(m.number);
  if (!d.because.empty()) d.paused = many ? out_pause::many_down : out_pause::zone_down;
}

// Space on the remaining nodes. Data of members that are out or have no weight will still move there, so it is counted
// as used.
class room {
public:
  room(const layout& l, std::span<const member_health> health) {
    std::vector<bool> owns(l.members.size(), false);
    for (const partition_owners& owners : l.partitions)
      for (const member_index n : owners.current) owns[n] = true;
    for (const member& m : l.members) {
      const member_health& h = health[m.number];
      if (holds_chunks(m) && !h.down) {
        used_ += h.used_bytes;
        capacity_ += h.capacity_bytes;
      } else if ((m.state == member_state::out || m.weight == 0) && owns[m.number]) {
        used_ += h.data_bytes;
      }
    }
  }

  bool take(std::uint64_t bytes) {
    if (double(used_ + bytes) * 100 > double(capacity_) * full_percent_max) return false;
    used_ += bytes;
    return true;
  }

private:
  std::uint64_t used_ = 0, capacity_ = 0;
};

} // namespace

std::string_view to_string(out_pause why) noexcept {
  switch (why) {
    case out_pause::none: return "none";
    case out_pause::many_down: return "many_down";
    case out_pause::zone_down: return "zone_down";
    case out_pause::no_room: return "no_room";
  }
  return "unknown";
}

out_decision decide_out(const layout& l, std::span<const member_health> health) {
  CAIRN_ASSERT(health.size() == l.members.size());
  out_decision decision;
  std::vector<member_index> overdue;
  for (const member& m : l.members) {
    const member_health& h = health[m.number];
    if (!is_member(m) || m.state == member_state::out || !h.down || !h.overdue) continue;
    (h.never_seen ? decision.out : overdue).push_back(m.number);
  }
  if (overdue.empty() || !decision.out.empty()) return decision; // never-seen nodes first; the others in the next call
  check_wide_outage(l, health, decision);
  if (decision.paused != out_pause::none) {
    decision.waiting = std::move(overdue);
    return decision;
  }
  room left{l, health};
  for (const member_index n : overdue) {
    if (left.take(health[n].data_bytes)) {
      decision.out.push_back(n);
    } else {
      decision.paused = out_pause::no_room;
      decision.waiting.push_back(n);
    }
  }
  return decision;
}

} // namespace cairn::cluster
