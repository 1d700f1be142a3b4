// The replicas of one chunk that is being written: which owners have confirmed, which failed, whether the chunk is
// durable. And of a whole upload: the replicas that were not confirmed, as the commit lists them. Plain classes of
// replica_writer.
#pragma once

#include "cluster/layout/layout.hpp"

#include <map>
#include <vector>

namespace cairn::actors {

class chunk_replicas {
public:
  explicit chunk_replicas(const cluster::write_route& route);

  // All owners are pending at first. Answers of owners that a reroute removed, and second answers, are ignored.
  void confirmed(node_number owner);
  void failed(node_number owner);
  // Replaces the owners. Confirmed and failed owners stay so; owners that are new are pending and returned: write to
  // them.
  cluster::owner_union reroute(const cluster::write_route& route);

  bool durable() const;            // a quorum of the counted owners has confirmed
  bool quorum_unreachable() const; // it can't become durable any more
  bool settled() const { return pending_ == 0; }
  bool pending(node_number owner) const;
  // Without this owner the quorum could not be reached.
  bool needs(node_number owner) const;
  const cluster::write_route& route() const { return route_; }
  cluster::owner_union owners_without_confirmation() const;

private:
  using mask = std::uint32_t;
  mask bit(node_number owner) const; // 0: no owner
  mask counted() const { return (mask{1} << route_.counted) - 1; }

  cluster::write_route route_;
  mask pending_ = 0, confirmed_ = 0; // by place in the route; neither: failed
};

// Ranges of chunks by node. Bounded: a node with very many ranges is listed with the whole blob.
class unconfirmed_chunks {
public:
  void add(node_number node, std::uint32_t chunk);
  bool empty() const { return nodes_.empty(); }
  bool contains(const storage::metadata::missing_chunks& range) const; // any chunk of the range
  // The ranges of a blob of so many chunks, as written_blob takes them; nullopt: more nodes than a commit may list.
  std::optional<std::vector<storage::metadata::missing_chunks>> list(std::uint32_t chunks) const;

private:
  struct ranges {
    std::map<std::uint32_t, std::uint32_t> ends; // first → one past the last
    bool whole = false;
  };
  std::map<node_number, ranges> nodes_;
};

} // namespace cairn::actors
