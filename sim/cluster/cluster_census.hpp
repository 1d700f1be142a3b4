// What a simulated cluster at rest should look like: every partition where it is to be, every live chunk on all its
// owners, and no chunk anywhere that no object needs.
#pragma once

#include "sim/cluster/cluster_node.hpp"

namespace cairn::sim {

class cluster_census {
public:
  explicit cluster_census(std::vector<std::unique_ptr<cluster_node>>& nodes) : nodes_(nodes) {}

  cluster_node* member(storage::node_number number) const; // null: none that runs or may run again
  // The first thing that is not as it should be; empty: nothing. `whole`: chunks are read, not only looked up.
  std::string unsettled(bool whole) const;
  // A chunk on a disk whose blob the log calls dead, or that its node does not own.
  std::string needless_chunk() const;
  // Chunks of blobs that are gone, of writer sessions that live: no walk takes them before their session has ended.
  std::size_t stray_chunks() const;

private:
  std::string unsettled_chunks(const cluster::layout& layout, bool whole) const;
  template <class Look>
  void for_each_chunk(Look look) const;

  std::vector<std::unique_ptr<cluster_node>>& nodes_;
};

} // namespace cairn::sim
