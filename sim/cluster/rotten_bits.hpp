// Bits that rot on the disks of a simulated cluster: of a chunk that objects need, on one of its owners at a time, so
// that a good copy is somewhere. What readers or a scrub find is to be mended by the nodes themselves.
#pragma once

#include "sim/cluster/cluster_node.hpp"

namespace cairn::sim {

class rotten_bits {
public:
  rotten_bits(world& w, std::vector<std::unique_ptr<cluster_node>>& nodes) : w_(w), nodes_(nodes) {}

  void flip();                // one, somewhere; or none when no chunk may
  void meet(bool as_a_scrub); // all that is rotten is read, as clients or an operator's command would have it
  void flip_row();            // of the metadata of one node, while that of all others is good
  bool metadata_is_whole();   // read as a scrub does, so that its node knows what is not
  std::uint64_t count() const noexcept { return flipped_; }
  std::uint64_t rows() const noexcept { return rows_; }

private:
  cluster_node* running(std::size_t number) const;
  bool has_good_copy(const cluster_node& but, const storage::chunk_id& id) const;

  world& w_;
  std::vector<std::unique_ptr<cluster_node>>& nodes_;
  std::map<storage::chunk_id, std::size_t> rotten_; // by chunk, the node; also what was mended since
  std::uint64_t flipped_ = 0, rows_ = 0;
};

} // namespace cairn::sim
