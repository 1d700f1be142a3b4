#include "actors/link/membership_gate.hpp"

#include "base/files/node_identity.hpp"

namespace cairn::actors {

void membership_gate::set_members(const std::vector<peer_address>& members) {
  incarnations_.clear();
  removed_.clear();
  for (const auto& m : members) {
    if (m.removed)
      removed_.insert(m.id);
    else
      incarnations_[m.id] = m.incarnation;
  }
}

// precondition_failed: permanent; the peer records it and does not start again.
result<void> membership_gate::check(const link::peer& other) const {
  const auto name = "node " + cairn::to_string(other.node);
  if (!other.member) return error{errc::invalid_argument, name + " belongs to no cluster yet"};
  if (removed_.contains(other.node)) return error{errc::precondition_failed, name + " was removed from the cluster"};
  const auto known = incarnations_.find(other.node);
  if (known == incarnations_.end())
    return error{errc::invalid_argument, name + " is not a member of the cluster, as far as this node knows"};
  if (!may_start_as(other.incarnation, known->second)) {
    constexpr auto mask = (std::uint64_t{1} << incarnation_count_bits) - 1;
    return error{errc::precondition_failed, name + " comes with an older incarnation (start " +
                                                std::to_string(other.incarnation & mask) +
                                                ") than the cluster has seen (start " +
                                                std::to_string(known->second & mask) + "): is this a restored disk?"};
  }
  return {};
}

result<void> membership_gate::admit(const link::peer& other, const uuid& own_cluster) const {
  if (other.member) return check(other);
  // The hello names the sender's cluster once: a connection that was accepted before this node joins would be treated
  // as a stranger's until it closes.
  if (own_cluster == uuid{}) return error{errc::invalid_argument, "this node belongs to no cluster yet: ask a member"};
  return {};
}

result<void> membership_gate::accept(const link::peer& other) const {
  auto checked = check(other);
  if (!checked) return error{errc::invalid_argument, checked.error().text};
  return {};
}

} // namespace cairn::actors
