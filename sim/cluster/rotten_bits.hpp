// Bits that rot on the disks of a simulated cluster: in a chunk that objects need, on one of its owners at a time, so
// that a good copy exists. The nodes must repair what readers or a scrub find.
#pragma once

#include "sim/cluster/cluster_node.hpp"

namespace cairn::sim {

class rotten_bits {
public:
  rotten_bits(world& w, std::vector<std::unique_ptr<cluster_node>>& nodes) : w_(w), nodes_(nodes) {}

  void flip();                // flips one bit of some chunk; none if no chunk qualifies
  void meet(bool as_a_scrub); // reads every rotten chunk, as a client or as an operator's command
  void flip_row();            // in one node's metadata, while all others' is whole
  bool metadata_is_whole();   // reads it as a scrub does, so that its node learns of the damage
  std::uint64_t count() const noexcept { return flipped_; }
  std::uint64_t rows() const noexcept { return rows_; }

private:
  cluster_node* running(std::size_t number) const;
  bool has_good_copy(const cluster_node& but, const storage::chunk_id& id) const;

  world& w_;
  std::vector<std::unique_ptr<cluster_node>>& nodes_;
  std::map<storage::chunk_id, std::size_t> rotten_; // the node, by chunk; repaired ones too
  std::uint64_t flipped_ = 0, rows_ = 0;
};

} // namespace cairn::sim
