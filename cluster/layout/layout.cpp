#include "cluster/layout/layout.hpp"

#include <algorithm>

namespace cairn::cluster {

namespace {

const partition_owners& owners_of(const layout& l, partition_id partition) {
  CAIRN_ASSERT(partition < l.partitions.size());
  return l.partitions[partition];
}

template <class List>
void add_all(owner_union& to, const List& from) {
  for (const member_index m : from) to.add(m);
}

owner_union current_then_target(const partition_owners& owners) {
  owner_union all;
  add_all(all, owners.current);
  add_all(all, owners.target);
  return all;
}

} // namespace

bool valid_address(std::string_view address) {
  return !address.empty() && address.size() <= storage::metadata::node_address_bytes_max &&
         std::ranges::all_of(address, [](unsigned char c) { return c > ' ' && c != 0x7f; });
}

bool has_moved(const member& m, std::string_view reported) {
  return valid_address(reported) && reported != m.address && !reported.starts_with("0.0.0.0:") &&
         !reported.starts_with("[::]:");
}

owner_union read_owners(const layout& l, partition_id partition) {
  return current_then_target(owners_of(l, partition));
}

write_route route_write(const layout& l, partition_id partition) {
  const partition_owners& owners = owners_of(l, partition);
  const std::size_t counted = owners.current.size();
  return {current_then_target(owners), counted, write_quorum(counted, l.write_quorum)};
}

fenced fence(const layout& l, partition_id partition, layout_epoch request_epoch) {
  if (request_epoch > l.epoch || l.partitions.empty()) return fenced::store_behind;
  return request_epoch < owners_of(l, partition).epoch ? fenced::requester_behind : fenced::serve;
}

bool only_shrinks(const partition_owners& owners) {
  return owners.target.size() < owners.current.size() &&
         std::ranges::all_of(owners.target, [&](member_index n) { return owners.current.contains(n); });
}

bool leaves_single_owner(const partition_owners& owners) {
  return owners.target.size() == 1 && owners.current != owners.target;
}

bool may_drop(const layout& l, partition_id partition, member_index who, layout_epoch acknowledged) {
  if (l.members[who].state == member_state::out) return false;
  const partition_owners& owners = owners_of(l, partition);
  return !owners.current.contains(who) && !owners.target.contains(who) && acknowledged >= owners.epoch;
}

movement pending_moves(const layout& l) {
  movement m;
  m.incoming.resize(l.members.size());
  m.outgoing.resize(l.members.size());
  for (const partition_owners& owners : l.partitions) {
    if (owners.current == owners.target) continue;
    ++m.partitions;
    for (const member_index n : owners.target) {
      if (owners.current.contains(n)) continue;
      ++m.copies;
      ++m.incoming[n];
    }
    for (const member_index n : owners.current) m.outgoing[n] += !owners.target.contains(n);
  }
  return m;
}

std::vector<std::uint32_t> owned_partitions(const layout& l) {
  std::vector<std::uint32_t> owned(l.members.size());
  for (const partition_owners& owners : l.partitions)
    for (const member_index n : owners.target) ++owned[n];
  return owned;
}

} // namespace cairn::cluster
