// How far the scrub of a node's disks has got: everything that they hold is read once in a period, a little each
// second, one disk after the other; then it rests until the period is over. A plain class. Forgotten with a restart: a
// pass begins again.
#pragma once

#include "base/ids.hpp"
#include "base/seams.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace cairn::actors {

class scrub_walk {
public:
  static constexpr std::uint64_t bytes_min = 1 << 20, bytes_max = 64 << 20; // of one step
  static constexpr std::chrono::seconds pause_max{60};                      // a longer one is not made up for

  scrub_walk(std::size_t disks, std::chrono::seconds period, storage::steady_time now)
      : disks_(disks), period_(period), began_(now), stepped_(now), rests_(disks == 0) {}

  // Whether something is to be read now: `disk`, behind `after`.
  bool due(storage::steady_time now) {
    if (rests_ && disks_ > 0 && now - began_ >= period_) begin(now);
    return !rests_;
  }
  // A pass over everything from now on: behind the one that is under way, so that who asks often does not keep it from
  // its end.
  void begin(storage::steady_time now) {
    again_ = !rests_;
    if (!rests_) return;
    began_ = stepped_ = now;
    rests_ = disks_ == 0;
  }
  std::size_t disk() const { return disk_; }
  const std::optional<storage::chunk_id>& after() const { return after_; }
  // To be read now, as much as the time since the step before asks for. `used`: bytes on all disks together.
  std::uint64_t step_bytes(std::uint64_t used, storage::steady_time now) {
    const auto since = std::clamp<storage::steady_time::duration>(now - stepped_, {}, pause_max);
    stepped_ = now;
    const double part = std::chrono::duration<double>(since) / std::chrono::duration<double>(period_);
    return std::clamp(static_cast<std::uint64_t>(double(used) * part), bytes_min, bytes_max);
  }
  // What a step reached; nothing: the disk's end, or that the disk can't be read now.
  void reached(std::optional<storage::chunk_id> last) {
    after_ = last;
    if (last || disks_ == 0) return;
    disk_ = (disk_ + 1) % disks_;
    rests_ = disk_ == 0 && !std::exchange(again_, false);
  }

private:
  const std::size_t disks_;
  const std::chrono::seconds period_;
  storage::steady_time began_, stepped_; // this pass; the step before
  bool rests_, again_ = false;           // another pass is to follow
  std::size_t disk_ = 0;
  std::optional<storage::chunk_id> after_;
};

} // namespace cairn::actors
