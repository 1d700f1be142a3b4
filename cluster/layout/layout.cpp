// The encoded layout (v: varint, s: string, uN: big-endian; base/codec.hpp):
//
//   layout      1 cluster:16 epoch:v replicas:u8 write_quorum:u8 members:v (node)* partitions:v (owners)*
//   node        see storage/metadata/rows/cluster_rows.cpp; the n-th has number n
//   owners      the same; its epoch field is the layout's epoch minus the partition's
//   partitions  0 or 16,384
#include "cluster/layout/layout.hpp"

#include <algorithm>

namespace cairn::cluster {

namespace {

namespace meta = storage::metadata;

constexpr std::uint8_t layout_version = 1;
constexpr std::size_t node_bytes_min = 37, owners_bytes_min = 3;

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

owner_union read_owners(const layout& l, partition_id partition) {
  return current_then_target(owners_of(l, partition));
}

write_route route_write(const layout& l, partition_id partition) {
  const partition_owners& owners = owners_of(l, partition);
  const std::size_t counted = owners.current.size();
  return {current_then_target(owners), counted, write_quorum(counted, l.write_quorum)};
}

bool quorum_reached(const write_route& route, std::span<const member_index> confirmed) {
  std::size_t reached = 0;
  for (std::size_t i = 0; i < route.counted; ++i)
    reached += std::ranges::find(confirmed, route.nodes[i]) != confirmed.end();
  return reached >= route.quorum;
}

fenced fence(const layout& l, partition_id partition, layout_epoch request_epoch) {
  if (request_epoch > l.epoch || l.partitions.empty()) return fenced::store_behind;
  return request_epoch < owners_of(l, partition).epoch ? fenced::requester_behind : fenced::serve;
}

void mark_moved(layout& l, std::span<const partition_id> partitions) {
  bool any = false;
  for (const partition_id p : partitions) {
    CAIRN_ASSERT(p < l.partitions.size());
    partition_owners& owners = l.partitions[p];
    if (owners.current == owners.target) continue;
    owners.current = owners.target;
    owners.epoch = l.epoch + 1;
    any = true;
  }
  if (any) ++l.epoch;
}

bool only_shrinks(const partition_owners& owners) {
  return owners.target.size() < owners.current.size() &&
         std::ranges::all_of(owners.target, [&](member_index n) { return owners.current.contains(n); });
}

bool will_be_alone(const partition_owners& owners) {
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

std::string encode(const layout& l) {
  storage::byte_writer w{128 + l.members.size() * 96 + l.partitions.size() * 5};
  w.u8(layout_version).raw(l.cluster).varint(l.epoch).u8(l.replicas).u8(l.write_quorum).varint(l.members.size());
  for (const member& m : l.members) meta::write_node(w, m);
  w.varint(l.partitions.size());
  for (partition_owners owners : l.partitions) {
    owners.epoch = l.epoch - owners.epoch;
    meta::write_owners(w, owners);
  }
  return w.take();
}

result<layout> decode_layout(std::string_view bytes) {
  storage::byte_reader r{bytes};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > layout_version)
    return error{errc::unsupported, "layout of version " + std::to_string(version)};
  if (version != layout_version) r.fail();
  layout l;
  r.raw(l.cluster);
  l.epoch = r.varint();
  l.replicas = r.u8();
  l.write_quorum = r.u8();
  if (l.replicas == 0 || l.replicas > meta::owners_max || l.write_quorum > l.replicas) r.fail();
  const std::size_t members = r.count(node_bytes_min);
  if (members > meta::nodes_max) r.fail();
  for (std::size_t i = 0; i < members && r.ok(); ++i)
    if (l.members.emplace_back(meta::read_node(r)).number != i) r.fail();
  const std::size_t partitions = r.count(owners_bytes_min);
  if (partitions != (members == 0 ? 0 : storage::partition_count)) r.fail();
  for (std::size_t i = 0; i < partitions && r.ok(); ++i) {
    partition_owners& owners = l.partitions.emplace_back(meta::read_owners(r));
    if (owners.epoch > l.epoch) r.fail();
    owners.epoch = l.epoch - owners.epoch;
    for (const member_index n : current_then_target(owners))
      if (n >= members) r.fail();
  }
  if (!r.finished()) return error{errc::corrupt, "layout does not follow its grammar"};
  return l;
}

} // namespace cairn::cluster
