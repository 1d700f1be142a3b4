// The sequences of stamped commands whose batches have no answer yet. A commit stamp says below which sequence all
// results of its session were received: the lowest sequence of the oldest unanswered batch. Batches may be answered in
// any order. A plain class of the metadata actor.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <set>

namespace cairn::actors {

class outstanding_sequences {
public:
  // A batch begins whose sequences start at `first`; later batches have higher ones. Returns what its stamps
  // acknowledge.
  std::uint64_t begin(std::uint64_t first) {
    CAIRN_ASSERT(firsts_.empty() || first >= *firsts_.rbegin());
    firsts_.insert(first);
    return *firsts_.begin();
  }
  void answered(std::uint64_t first) {
    const auto at = firsts_.find(first);
    CAIRN_ASSERT(at != firsts_.end());
    firsts_.erase(at);
  }
  std::size_t batches() const noexcept { return firsts_.size(); }

private:
  std::multiset<std::uint64_t> firsts_; // a batch without stamps has the first sequence of the next one
};

} // namespace cairn::actors
