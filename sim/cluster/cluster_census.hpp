// The final state that a simulated cluster must reach: every partition on its target owners, every live chunk on all
// its owners, and no chunk that no object needs.
#pragma once

#include "sim/cluster/cluster_node.hpp"

namespace cairn::sim {

class cluster_census {
public:
  explicit cluster_census(std::vector<std::unique_ptr<cluster_node>>& nodes) : nodes_(nodes) {}

  cluster_node* member(node_number number) const; // null: no such node exists any more
  // The first deviation from that state; empty: none. `whole`: chunks are also read, not only looked up.
  std::string unsettled(bool whole) const;
  // A chunk on a disk whose blob the log calls dead, or that its node does not own.
  std::string needless_chunk() const;
  // A bucket whose counted usage differs from a scan of its versions, on any node; empty: none.
  std::string miscounted() const;
  // Chunks of removed blobs of live writer sessions: no walk erases them before the session has ended.
  std::size_t stray_chunks() const;

private:
  std::string unsettled_chunks(const cluster::layout& layout, bool whole) const;
  template <class Look>
  void for_each_chunk(Look look) const;

  std::vector<std::unique_ptr<cluster_node>>& nodes_;
};

} // namespace cairn::sim
