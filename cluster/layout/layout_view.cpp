#include "cluster/layout/layout_view.hpp"

namespace cairn::cluster {

namespace {

namespace meta = storage::metadata;

bool names_members_only(const partition_owners& owners, std::size_t members) {
  for (const owner_list* const list : {&owners.current, &owners.target})
    for (const member_index n : *list)
      if (n >= members) return false;
  return true;
}

} // namespace

result<layout> read_layout(meta::view& rows) {
  const auto cluster = rows.cluster();
  if (!cluster) return cluster.error();
  auto nodes = rows.nodes();
  if (!nodes) return nodes.error();
  layout l{.cluster = cluster->id,
           .epoch = cluster->epoch,
           .replicas = cluster->replicas,
           .write_quorum = cluster->write_quorum,
           .members = std::move(*nodes)};
  for (std::size_t i = 0; i < l.members.size(); ++i)
    if (l.members[i].number != i) return error{errc::corrupt, "the nodes' numbers have a gap"};
  l.partitions.reserve(partition_count);
  for (std::uint16_t number = 0; number < meta::owners_page_count; ++number) {
    const auto page = rows.owners(number);
    if (!page) return page.error();
    for (const partition_owners& owners : *page) {
      if (!names_members_only(owners, l.members.size()) || owners.epoch > l.epoch)
        return error{errc::corrupt, "owners of a partition contradict the cluster's rows"};
      l.partitions.push_back(owners);
    }
  }
  return l;
}

} // namespace cairn::cluster
