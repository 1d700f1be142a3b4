// Partition → members (the disks of a node, the nodes of a cluster) by weighted rendezvous hashing: each member scores
// -weight / log2(u) with u drawn from hash(member, partition); the highest score ranks first (Schindelhauer and
// Schomaker, "Weighted distributed hash tables", 2005). Adding a member moves only the partitions that it wins,
// removing one only those that it had. A member's share of first ranks is proportional to its weight.
//
// Every machine must compute the same table, so the logarithm uses integer arithmetic, not libm. Immutable after
// construction; any thread.
#pragma once

#include "base/ids.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace cairn::cluster {

struct placement_member {
  uuid id{};
  double weight = 1.0; // > 0
};

class placement {
public:
  // 1 to 65,535 members with distinct ids. Cost: members × 16,384 scores.
  explicit placement(std::span<const placement_member> members);

  // Indexes of all members, highest score first.
  std::span<const std::uint16_t> ranked(partition_id partition) const noexcept {
    return {table_.data() + std::size_t{partition} * members_, members_};
  }
  std::size_t members() const noexcept { return members_; }

private:
  std::size_t members_;
  std::vector<std::uint16_t> table_; // partition × rank
};

} // namespace cairn::cluster
