#include "cluster/remembered_members.hpp"

#include <algorithm>

namespace cairn::cluster {

std::optional<std::vector<known_member>>
remembered_members::observe(std::span<const storage::metadata::node_row> members) {
  std::vector<known_member> shown;
  for (const auto& m : members)
    if (m.state != storage::metadata::node_state::removed && shown.size() < known_members_max)
      shown.push_back({m.number, m.id, m.address});
  if (shown.empty()) return std::nullopt;
  if (shown != seen_) {
    const auto same_node = [](const known_member& a, const known_member& b) {
      return a.number == b.number && a.id == b.id;
    };
    wanted_ = shown;
    for (auto& m : wanted_) {
      const auto before = std::ranges::find_if(seen_, [&](const auto& s) { return same_node(s, m); });
      const auto kept = std::ranges::find_if(on_disk_, [&](const auto& d) { return same_node(d, m); });
      const bool moved = before != seen_.end() && before->address != m.address;
      if (kept != on_disk_.end() && !moved) m.address = kept->address;
    }
    seen_ = std::move(shown);
  }
  return wanted_ == on_disk_ ? std::nullopt : std::optional{wanted_};
}

} // namespace cairn::cluster
