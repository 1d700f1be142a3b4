// Chunks that reads found damaged on this node's disks: the chunk stores add them, backfill takes them and fetches them
// again. Bounded, each chunk once. A chunk that does not fit is left to the scrub or to the next read. Any thread; not
// kept over a restart.
#pragma once

#include "base/ids.hpp"

#include <mutex>
#include <set>
#include <vector>

namespace cairn::actors {

class damaged_chunks {
public:
  static constexpr std::size_t remembered_max = 1024;

  void note(const chunk_id& id) {
    const std::lock_guard lock{mutex_};
    if (noted_.size() < remembered_max && !taken_.contains(id)) noted_.insert(id);
  }
  // At most `most` of them, in rising order. note() ignores these until `settled`.
  std::vector<chunk_id> take(std::size_t most) {
    const std::lock_guard lock{mutex_};
    while (!noted_.empty() && taken_.size() < most) taken_.insert(noted_.extract(noted_.begin()));
    return {taken_.begin(), taken_.end()};
  }
  // The chunks that were taken are repaired, or could not be: the next read that finds one damaged notes it again.
  void settled() {
    const std::lock_guard lock{mutex_};
    taken_.clear();
  }

private:
  std::mutex mutex_;
  std::set<chunk_id> noted_, taken_;
};

} // namespace cairn::actors
