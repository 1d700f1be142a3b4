#include "sim/cluster/rotten_bits.hpp"

#include "storage/metadata/rows/tables.hpp"

#include <algorithm>
#include <array>

namespace cairn::sim {

namespace {

constexpr std::size_t blobs_max = 200;

} // namespace

cluster_node* rotten_bits::running(std::size_t number) const {
  const auto at = std::ranges::find(nodes_, number, [](const auto& n) { return n->number(); });
  return at != nodes_.end() && (*at)->serves() ? at->get() : nullptr;
}

// Whether another owner has a good copy, if that owner and `but` agree on the owners.
bool rotten_bits::has_good_copy(const cluster_node& but, const storage::chunk_id& id) const {
  const auto layout = but.layout();
  if (!layout) return false;
  const auto& owners = layout->partitions[storage::partition_of(id)].current;
  return std::ranges::any_of(nodes_, [&](const auto& n) {
    return n.get() != &but && n->serves() && owners.contains(*n->member_number()) && n->layout() &&
           n->layout()->epoch == layout->epoch && n->good(id);
  });
}

void rotten_bits::flip() {
  auto& node = *w_.draw.pick(nodes_);
  const auto view = node.serves() ? node.view() : nullptr;
  if (!view) return;
  const auto live = view->blobs(std::nullopt, blobs_max);
  if (!live || live->blobs.empty()) return;
  const auto& blob = w_.draw.pick(live->blobs);
  const storage::chunk_id id{blob.blob, std::uint32_t(w_.draw.below(blob.chunks))};
  if (const auto before = rotten_.find(id); before != rotten_.end()) {
    const auto* const there = running(before->second);
    if (!there || !there->good(id)) return; // not repaired yet, as far as can be seen
  }
  if (!node.good(id) || !has_good_copy(node, id)) return;
  node.rot(id, w_.draw.next());
  rotten_[id] = node.number();
  ++flipped_;
}

void rotten_bits::meet(bool as_a_scrub) {
  for (const auto& [id, number] : rotten_) {
    auto* const node = running(number);
    if (!node || !node->has(id) || node->good(id)) continue;
    if (as_a_scrub)
      node->look_for_damage();
    else
      node->read_alone(id);
  }
}

// The node may be down or partitioned; it then finds the damage later.
void rotten_bits::flip_row() {
  using storage::metadata::table;
  static constexpr std::array tables{table::buckets,   table::current, table::versions, table::inline_data,
                                     table::manifests, table::blobs,   table::sessions, table::outcomes,
                                     table::nodes,     table::owners};
  if (nodes_.size() < 3 ||
      !std::ranges::all_of(nodes_, [](const auto& n) { return n->serves() && n->state().whole(); }))
    return;
  auto& node = *w_.draw.pick(nodes_);
  const auto table = storage::metadata::id_of(tables[w_.draw.below(tables.size())]);
  const std::string key{char(0), char(0), char(w_.draw.below(2)), char(w_.draw.below(256))};
  rows_ += node.state().rot(table, key, w_.draw.next());
}

bool rotten_bits::metadata_is_whole() {
  bool good = true;
  for (const auto& n : nodes_) good = n->state().whole() && good;
  return good;
}

} // namespace cairn::sim
