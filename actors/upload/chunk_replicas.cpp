#include "actors/upload/chunk_replicas.hpp"

#include <algorithm>
#include <bit>

namespace cairn::actors {

using storage::metadata::missing_chunks;
using storage::metadata::missing_chunks_max;

chunk_replicas::chunk_replicas(const cluster::write_route& route)
    : route_(route), pending_((mask{1} << route.nodes.size()) - 1) {}

chunk_replicas::mask chunk_replicas::bit(node_number owner) const {
  for (std::size_t i = 0; i < route_.nodes.size(); ++i)
    if (route_.nodes[i] == owner) return mask{1} << i;
  return 0;
}

void chunk_replicas::confirmed(node_number owner) {
  const auto b = bit(owner);
  pending_ &= ~b;
  confirmed_ |= b;
}

void chunk_replicas::failed(node_number owner) {
  pending_ &= ~bit(owner);
}

cluster::owner_union chunk_replicas::reroute(const cluster::write_route& route) {
  chunk_replicas next{route};
  cluster::owner_union fresh;
  for (const auto owner : route.nodes) {
    const auto was = bit(owner);
    if (was == 0)
      fresh.add(owner);
    else if ((confirmed_ & was) != 0)
      next.confirmed(owner);
    else if ((pending_ & was) == 0)
      next.failed(owner);
  }
  *this = next;
  return fresh;
}

bool chunk_replicas::durable() const {
  return static_cast<std::size_t>(std::popcount(confirmed_ & counted())) >= route_.quorum;
}

bool chunk_replicas::quorum_unreachable() const {
  return static_cast<std::size_t>(std::popcount((confirmed_ | pending_) & counted())) < route_.quorum;
}

bool chunk_replicas::pending(node_number owner) const {
  return (pending_ & bit(owner)) != 0;
}

bool chunk_replicas::needs(node_number owner) const {
  auto without = *this;
  without.failed(owner);
  return without.quorum_unreachable();
}

cluster::owner_union chunk_replicas::owners_without_confirmation() const {
  cluster::owner_union out;
  for (const auto owner : route_.nodes)
    if ((confirmed_ & bit(owner)) == 0) out.add(owner);
  return out;
}

void unconfirmed_chunks::add(node_number node, std::uint32_t chunk) {
  auto& r = nodes_[node];
  if (r.whole) return;
  auto after = r.ends.upper_bound(chunk);
  if (after != r.ends.begin()) {
    const auto before = std::prev(after);
    if (before->second > chunk) return;
    if (before->second == chunk) {
      before->second = chunk + 1;
      if (after != r.ends.end() && after->first == chunk + 1) {
        before->second = after->second;
        r.ends.erase(after);
      }
      return;
    }
  }
  auto end = chunk + 1;
  if (after != r.ends.end() && after->first == end) {
    end = after->second;
    r.ends.erase(after);
  }
  r.ends.emplace(chunk, end);
  if (r.ends.size() <= missing_chunks_max) return;
  r.whole = true;
  r.ends.clear();
}

bool unconfirmed_chunks::contains(const missing_chunks& range) const {
  const auto at = nodes_.find(range.node);
  if (at == nodes_.end()) return false;
  if (at->second.whole) return true;
  const auto& ends = at->second.ends;
  const auto after = ends.lower_bound(range.first + range.count);
  return after != ends.begin() && std::prev(after)->second > range.first;
}

std::optional<std::vector<missing_chunks>> unconfirmed_chunks::list(std::uint32_t chunks) const {
  if (nodes_.size() > missing_chunks_max) return std::nullopt;
  std::vector<std::size_t> counts; // of those that may still be named by their ranges
  for (const auto& [node, r] : nodes_) counts.push_back(r.whole ? 1 : r.ends.size());
  std::sort(counts.begin(), counts.end());
  // A node with more ranges than this is listed with the whole blob.
  std::size_t most = missing_chunks_max, left = missing_chunks_max, nodes = counts.size();
  for (const auto c : counts) {
    if (c * nodes > left) {
      most = left / nodes;
      break;
    }
    left -= c;
    --nodes;
  }
  std::vector<missing_chunks> out;
  for (const auto& [node, r] : nodes_) {
    if (r.whole || r.ends.size() > most) {
      out.push_back({node, 0, chunks});
      continue;
    }
    for (const auto& [first, end] : r.ends) out.push_back({node, first, end - first});
  }
  return out;
}

} // namespace cairn::actors
