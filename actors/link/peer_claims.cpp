#include "actors/link/peer_claims.hpp"

#include <algorithm>

namespace cairn::actors {

namespace meta = storage::metadata;

result<void> check_sender(const link::peer& from, const uuid& node) {
  if (from.node == node) return {};
  return error{errc::invalid_argument,
               "node " + cairn::to_string(from.node) + " claims to be node " + cairn::to_string(node)};
}

result<void> may_submit(const link::peer& from, const meta::command& c) {
  const auto* const session = std::get_if<meta::begin_session>(&c);
  if (session == nullptr) return {};
  if (auto own = check_sender(from, session->node); !own) return own;
  if (session->incarnation == from.incarnation) return {};
  return error{errc::invalid_argument,
               "node " + cairn::to_string(from.node) + " tries to begin a session of another start"};
}

std::vector<cluster::known_member> plausible_members(std::vector<cluster::known_member> reported,
                                                     std::span<const meta::node_row> known) {
  std::erase_if(reported, [&](const cluster::known_member& m) {
    const auto row = std::ranges::find(known, m.id, &meta::node_row::id);
    if (row != known.end()) return row->number != m.number || row->state == meta::node_state::removed;
    return m.number < known.size(); // the number belongs to another node
  });
  if (reported.size() > meta::members_max) reported.resize(meta::members_max);
  return reported;
}

} // namespace cairn::actors
