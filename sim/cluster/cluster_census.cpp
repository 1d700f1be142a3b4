#include "sim/cluster/cluster_census.hpp"

#include <map>

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

namespace {

// By the listing of versions, which does not know the counts. nullopt: it cannot be read.
std::optional<storage::metadata::usage> scanned_usage(storage::metadata::view& rows, const std::string& bucket) {
  storage::metadata::usage found;
  storage::metadata::versions_query query{.bucket = bucket};
  for (;;) {
    const auto page = rows.versions(query);
    if (!page) return std::nullopt;
    for (const auto& v : page->versions) {
      if (v.latest && !v.delete_marker) ++found.objects;
      ++(v.delete_marker ? found.markers : found.versions);
      found.bytes += v.size;
    }
    if (!page->truncated) return found;
    query.key_marker = page->next_key_marker;
    query.version_marker = page->next_version_marker;
  }
}

void add_usage(storage::metadata::usage& to, const storage::metadata::usage& by) {
  to.objects += by.objects;
  to.versions += by.versions;
  to.markers += by.markers;
  to.bytes += by.bytes;
}

// Of runs with few buckets.
bool sums_owners_rightly(storage::metadata::view& rows, const std::map<bucket_id, storage::metadata::usage>& scanned) {
  storage::metadata::buckets_query query;
  query.with_usage = true;
  const auto buckets = rows.buckets(query);
  const auto owners = rows.identities({.kind = storage::metadata::identity_kind::bucket_owner});
  if (!buckets || !owners) return false;
  std::map<std::string, storage::metadata::usage> sums, counted;
  for (std::size_t i = 0; i < buckets->buckets.size(); ++i) {
    const auto held = scanned.find(buckets->buckets[i].id);
    if (held == scanned.end()) return false;
    if (!buckets->owners[i].empty()) add_usage(sums[buckets->owners[i]], held->second);
  }
  for (const auto& owner : owners->owners)
    if (owner.buckets > 0) counted[owner.name] = owner.counted.value_or(storage::metadata::usage{});
  return sums == counted;
}

} // namespace

std::string cluster_census::miscounted() const {
  for (const auto& n : nodes_) {
    const auto name = "node " + std::to_string(n->number()) + ' ';
    const auto view = n->view();
    if (!view) return name + "has metadata that can't be read";
    const auto buckets = view->buckets();
    const auto total = view->total_usage();
    if (!buckets || !total) return name + "has buckets that can't be read";
    if (view->feature_level() < storage::metadata::feature_level_of_usage) continue;
    if (!total->complete) return name + "has not counted all buckets";
    storage::metadata::usage sum;
    std::map<bucket_id, storage::metadata::usage> all_scanned;
    for (const auto& bucket : *buckets) {
      const auto counted = view->usage_of(bucket.id);
      const auto scanned = scanned_usage(*view, bucket.name);
      if (!counted || !*counted || !scanned || **counted != *scanned)
        return name + "counts " + bucket.name + " wrongly";
      add_usage(sum, *scanned);
      all_scanned[bucket.id] = *scanned;
    }
    if (sum != total->counted) return name + "sums wrongly";
    if (!sums_owners_rightly(*view, all_scanned)) return name + "sums the buckets of an owner wrongly";
  }
  return {};
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
