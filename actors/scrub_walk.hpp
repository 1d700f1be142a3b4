// How far the scrub of a node's disks has got: everything that they hold is read within a period, a little each second,
// one disk after the other, over and over. A plain class; forgotten with a restart.
#pragma once

#include "storage/ids.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace cairn::actors {

class scrub_walk {
public:
  static constexpr std::uint64_t bytes_min = 1 << 20, bytes_max = 64 << 20; // of one step
  static constexpr std::chrono::seconds pause_max{60};                      // a longer one is not made up for

  scrub_walk(std::size_t disks, std::chrono::seconds period) : disks_(disks), period_(period) {}

  std::size_t disk() const { return disk_; }
  const std::optional<storage::chunk_id>& after() const { return after_; }
  // To be read now. `used`: bytes on all disks together; `since`: the step before, or the start.
  std::uint64_t step_bytes(std::uint64_t used, std::chrono::milliseconds since) const {
    const double part = std::chrono::duration<double>(std::clamp<std::chrono::milliseconds>(since, {}, pause_max)) /
                        std::chrono::duration<double>(period_);
    return std::clamp(static_cast<std::uint64_t>(double(used) * part), bytes_min, bytes_max);
  }
  // What a step reached; nothing: the disk's end, or that the disk can't be read now.
  void reached(std::optional<storage::chunk_id> last) {
    after_ = last;
    if (!last && disks_ > 0) disk_ = (disk_ + 1) % disks_;
  }

private:
  const std::size_t disks_;
  const std::chrono::seconds period_;
  std::size_t disk_ = 0;
  std::optional<storage::chunk_id> after_;
};

} // namespace cairn::actors
