#include "sim/cluster/cluster_census.hpp"

namespace cairn::sim {

cluster_node* cluster_census::member(node_number number) const {
  for (const auto& n : nodes_)
    if (n->member_number() == number) return n.get();
  return nullptr;
}

std::string cluster_census::unsettled(bool whole) const {
  actors::layout_ptr newest;
  for (const auto& n : nodes_) {
    const auto l = n->layout();
    if (!l) return "a node knows no layout";
    if (newest && newest->epoch != l->epoch) return "layouts differ";
    newest = l;
  }
  for (const auto& m : newest->members)
    if (m.down_since != 0 && member(m.number)) return "a member counts as down";
  const auto moving = cluster::pending_moves(*newest);
  if (moving.partitions > 0) return std::to_string(moving.partitions) + " partitions have not moved";
  return unsettled_chunks(*newest, whole);
}

std::string cluster_census::unsettled_chunks(const cluster::layout& layout, bool whole) const {
  const auto view = nodes_.front()->view();
  if (!view) return "the metadata can't be read";
  if (const auto waiting = view->repairs_waiting(); waiting > 0) return std::to_string(waiting) + " repairs wait";
  const auto live = view->blobs(std::nullopt, 1000);
  if (!live || live->next) return "blobs are not listed";
  for (const auto& blob : live->blobs) {
    for (std::uint32_t i = 0; i < blob.chunks; ++i) {
      const chunk_id id{blob.blob, i};
      for (const auto owner : layout.partitions[partition_of(id)].current) {
        const auto* n = member(owner);
        if (!n) return "a partition is owned by a node that is gone";
        if (!n->has(id)) return "node " + std::to_string(n->number()) + " lacks chunk " + to_string(id);
        if (whole && !n->good(id))
          return "node " + std::to_string(n->number()) + " keeps a rotten copy of chunk " + to_string(id);
      }
    }
  }
  return {};
}

// Calls `look` for every chunk until it returns false.
template <class Look>
void cluster_census::for_each_chunk(Look look) const {
  for (const auto& n : nodes_)
    for (const auto& id : n->chunks())
      if (!look(*n, id)) return;
}

std::string cluster_census::needless_chunk() const {
  const auto view = nodes_.front()->view();
  const auto layout = nodes_.front()->layout();
  if (!view || !layout) return "the metadata can't be read";
  std::string found;
  for_each_chunk([&](const cluster_node& n, const chunk_id& id) {
    const auto name = "node " + std::to_string(n.number()) + " has chunk " + to_string(id) + ' ';
    const auto kept = view->kept(id.blob);
    const auto dead = view->is_dead(id.blob);
    if (!kept || !dead)
      found = "the metadata can't be read";
    else if (*dead)
      found = name + "of a dead blob";
    else if (*kept && (*kept)->buried)
      found = name + "of a buried blob";
    else if (*kept && !cluster::read_owners(*layout, partition_of(id)).contains(*n.member_number()))
      found = name + "of a partition that it does not own";
    return found.empty();
  });
  return found;
}

std::size_t cluster_census::stray_chunks() const {
  const auto view = nodes_.front()->view();
  std::size_t count = 0;
  if (!view) return count;
  for_each_chunk([&](const cluster_node&, const chunk_id& id) {
    const auto kept = view->kept(id.blob);
    count += kept && !*kept;
    return true;
  });
  return count;
}

} // namespace cairn::sim
