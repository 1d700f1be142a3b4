// The progress of a node's scrub: everything on its disks is read once in a period, some each second, one disk after
// the other; then the scrub rests until the period has ended. A plain class. Not stored: a restart begins a new pass.
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
  static constexpr std::chrono::seconds pause_max{60};                      // longer pauses are not caught up

  scrub_walk(std::size_t disks, std::chrono::seconds period, steady_time now)
      : disks_(disks), period_(period), began_(now), stepped_(now), idle_(disks == 0) {}

  // Whether a step is due now; it reads `disk` behind `after`.
  bool due(steady_time now) {
    if (idle_ && disks_ > 0 && now - began_ >= period_) begin(now);
    return !idle_;
  }
  // Requests a pass over everything. A running pass is completed first, so that frequent requests do not keep it from
  // its end.
  void begin(steady_time now) {
    again_ = !idle_;
    if (!idle_) return;
    began_ = stepped_ = now;
    idle_ = disks_ == 0;
  }
  std::size_t disk() const { return disk_; }
  const std::optional<chunk_id>& after() const { return after_; }
  // The bytes to read now, by the time since the last step. `used`: bytes on all disks together.
  std::uint64_t step_bytes(std::uint64_t used, steady_time now) {
    const auto since = std::clamp<steady_time::duration>(now - stepped_, {}, pause_max);
    stepped_ = now;
    const double part = std::chrono::duration<double>(since) / std::chrono::duration<double>(period_);
    return std::clamp(static_cast<std::uint64_t>(double(used) * part), bytes_min, bytes_max);
  }
  // The last chunk that a step read; nullopt: the end of the disk, or the disk cannot be read now.
  void reached(std::optional<chunk_id> last) {
    after_ = last;
    if (last || disks_ == 0) return;
    disk_ = (disk_ + 1) % disks_;
    idle_ = disk_ == 0 && !std::exchange(again_, false);
  }

private:
  const std::size_t disks_;
  const std::chrono::seconds period_;
  steady_time began_, stepped_; // begin of this pass; time of the last step
  bool idle_, again_ = false;   // another pass follows
  std::size_t disk_ = 0;
  std::optional<chunk_id> after_;
};

} // namespace cairn::actors
