#include "actors/membership_gate.hpp"

namespace cairn::actors {

void membership_gate::set_members(const std::vector<peer_address>& members) {
  incarnations_.clear();
  for (const auto& m : members) incarnations_[m.id] = m.incarnation;
}

result<void> membership_gate::admit(const link::peer& other, const storage::uuid& own_cluster) const {
  if (other.member) return accept(other);
  // A connection keeps what its greeting said: one to a node that is about to join would stay a stranger's for ever.
  if (own_cluster == storage::uuid{})
    return error{errc::invalid_argument, "this node belongs to no cluster yet: ask a member"};
  return {};
}

result<void> membership_gate::accept(const link::peer& other) const {
  const auto name = "node " + storage::to_string(other.node);
  if (!other.member) return error{errc::invalid_argument, name + " belongs to no cluster yet"};
  const auto known = incarnations_.find(other.node);
  if (known == incarnations_.end())
    return error{errc::invalid_argument,
                 name + " is not a member of the cluster: it was removed, or has not been added yet"};
  if (other.incarnation < known->second)
    return error{errc::invalid_argument, name + " comes with an older incarnation (" +
                                             std::to_string(other.incarnation) +
                                             ") than the cluster "
                                             "has seen (" +
                                             std::to_string(known->second) + "): is this a restored disk?"};
  return {};
}

} // namespace cairn::actors
