// Which partitions a node has compared. To compare a partition is to check its own disks against every live blob of the
// metadata and to fetch missing chunks. A node compares the partitions that it is to own, and those that it keeps while
// other owners are dropped (layout.hpp). Where it becomes the single owner, it also reads its chunks and fetches
// damaged ones. A plain class of the backfill actor (actors/upkeep/backfill.hpp). Not persistent: after a restart the
// node compares again, which is cheap for chunks that exist and need not be read.
//
// A comparison of a partition is valid for its present owners if it began after every live session had acknowledged
// their epoch: from then on the node receives every write itself, or a repair row names it.
#pragma once

#include "cluster/layout/layout.hpp"

namespace cairn::cluster {

class comparisons {
public:
  struct round {
    layout_epoch epoch = 0;       // of the layout when it began
    std::vector<bool> partitions; // to compare
    std::vector<bool> read;       // of these, the ones whose chunks are also read
    std::size_t count = 0;        // to compare
  };

  // The partitions to compare now. `acknowledged`: the lowest epoch that all live sessions have acknowledged.
  round next(const layout& l, member_index self, layout_epoch acknowledged);
  // All partitions that the node owns or is to own. For a check; not passed to `finished`.
  static round everything(const layout& l, member_index self);
  // The round has ended: all its partitions but the failed ones are complete.
  void finished(const round& done, const std::vector<bool>& failed);
  // Discards all results, because a disk failed.
  void forget() { compared_.assign(compared_.size(), 0); }
  // The complete ones of the partitions that the node is to own, newly or with fewer other owners. Ascending.
  std::vector<partition_id> complete(const layout& l, member_index self);

private:
  const std::vector<partition_id>& incoming(const layout& l, member_index self);

  std::vector<layout_epoch> compared_ = std::vector<layout_epoch>(partition_count);
  layout_epoch incoming_epoch_ = 0; // 0: incoming_ is not computed
  member_index incoming_self_ = 0;
  std::vector<partition_id> incoming_; // of that epoch and member, ascending
};

} // namespace cairn::cluster
