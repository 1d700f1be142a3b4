// Disk faults of a simulated cluster's members: operations on chunk files, and commits of the chunk index, the metadata
// and its log, fail or find no room; the power fails in the middle of an operation; bits rot.
#pragma once

#include "sim/cluster/cluster_node.hpp"

namespace cairn::sim {

struct disk_fault_plan {
  double read_errors = 0, write_errors = 0, flush_errors = 0; // probability per operation on chunk files
  bool fills_up = false;                                      // chunk disks fill up, one after the other
  bool loses_power_midway = false;                            // the power fails between two disk operations
  double metadata_errors = 0;                                 // probability per commit of the state and the log

  bool any() const { return errors() || fills_up || loses_power_midway; }
  bool errors() const { return read_errors > 0 || write_errors > 0 || flush_errors > 0 || metadata_errors > 0; }
};
// Drawn from a separate source, so that the draws of older seeds do not change.
disk_fault_plan draw_disk_faults(std::uint64_t seed);

class cluster_disks {
public:
  cluster_disks(world& w, std::vector<std::unique_ptr<cluster_node>>& nodes, const disk_fault_plan& plan)
      : w_(w), nodes_(nodes), plan_(plan) {}

  void open(cluster_node& n);  // call before each start: no disk fails during it
  void begin(cluster_node& n); // call after the start
  void act();                  // a step while faults are active
  // Makes the power of a node fail in the middle of its disk operations; the caller then crashes the node. Null: none.
  cluster_node* lose_power();
  void end(); // ends all faults; nodes with a failed flush must be restarted
  bool has_failed_disk(const cluster_node& n) const;
  std::uint64_t errors() const { return errors_; } // that have occurred
  std::string options() const;

private:
  void set_faults(cluster_node& n, std::shared_ptr<std::uint64_t> operations_left);

  world& w_;
  std::vector<std::unique_ptr<cluster_node>>& nodes_;
  const disk_fault_plan plan_;
  cluster_node* full_ = nullptr;
  bool over_ = false;
  std::uint64_t errors_ = 0, filled_ = 0, power_losses_ = 0;
};

// Bits that rot: of a chunk that objects need, on one of its owners at a time, so that a good copy is somewhere; of a
// row of one node's metadata. The nodes must repair what readers or a scrub find.
class bit_rot {
public:
  bit_rot(world& w, std::vector<std::unique_ptr<cluster_node>>& nodes) : w_(w), nodes_(nodes) {}

  void flip();                        // flips one bit of some chunk; none if no chunk qualifies
  void read_damaged(bool as_a_scrub); // reads every rotten chunk, as a client or as an operator's command
  void flip_row();                    // in one node's metadata, while all others' is whole
  bool metadata_is_whole();           // reads it as a scrub does, so that its node learns of the damage
  std::uint64_t count() const noexcept { return flipped_; }
  std::uint64_t rows() const noexcept { return rows_; }

private:
  cluster_node* running(std::size_t number) const;
  bool has_good_copy(const cluster_node& but, const chunk_id& id) const;

  world& w_;
  std::vector<std::unique_ptr<cluster_node>>& nodes_;
  std::map<chunk_id, std::size_t> rotten_; // the node, by chunk; repaired ones too
  std::uint64_t flipped_ = 0, rows_ = 0;
};

} // namespace cairn::sim
