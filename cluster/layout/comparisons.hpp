// Which partitions a node that is to own them has compared: held every live blob of the metadata against its own disks
// and fetched what it lacked; so does one that stays while others go (layout.hpp), and where it is to stay alone, it
// has also read what is there and fetched what was damaged. A decision of the backfill actor
// (actors/upkeep/backfill.hpp); forgotten with a restart, then compared again, which costs nothing for chunks that are
// there and need not be read.
//
// A comparison of a partition counts for its present owners when it began after every live session had acknowledged
// them: from then on the node gets all writes itself, or a repair row names it.
#pragma once

#include "cluster/layout/layout.hpp"

namespace cairn::cluster {

class comparisons {
public:
  struct round {
    layout_epoch epoch = 0;       // of the layout when it began
    std::vector<bool> partitions; // to compare
    std::vector<bool> read;       // of them: those whose chunks are read too
    std::size_t count = 0;        // to compare
  };

  // What there is to compare now. `acknowledged`: by all live sessions.
  round next(const layout& l, member_index self, layout_epoch acknowledged);
  // Everything that the node owns or is to own: a check, which makes nothing complete.
  static round everything(const layout& l, member_index self);
  // All but the failed partitions of the round hold everything.
  void finished(const round& done, const std::vector<bool>& failed);
  // Nothing of what was compared counts any more: a disk failed.
  void forget() { compared_.assign(compared_.size(), 0); }
  // Rising: the node is to own them, newly or with fewer others, and holds them completely.
  std::vector<partition_id> complete(const layout& l, member_index self);

private:
  const std::vector<partition_id>& incoming(const layout& l, member_index self);

  std::vector<layout_epoch> compared_ = std::vector<layout_epoch>(storage::partition_count);
  layout_epoch incoming_epoch_ = 0; // 0: of no layout
  member_index incoming_self_ = 0;
  std::vector<partition_id> incoming_; // of that epoch, rising
};

} // namespace cairn::cluster
