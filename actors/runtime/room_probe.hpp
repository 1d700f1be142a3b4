// Whether a disk has more space than its reserve; asks the file system at most ten times a second. Any thread; the file
// system outlives the probe.
#pragma once

#include "base/file_system.hpp"
#include "base/seams.hpp"

#include <atomic>
#include <chrono>
#include <string>

namespace cairn::actors {

class room_probe {
public:
  room_probe(file_system& files, const cairn::clock& clock, std::string path, std::uint64_t reserve)
      : files_(files), clock_(clock), path_(std::move(path)), reserve_(reserve) {}

  bool has_room() {
    const auto now = clock_.now().time_since_epoch().count();
    const auto last = checked_.load(std::memory_order_relaxed);
    if (now - last > interval.count()) {
      checked_.store(now, std::memory_order_relaxed);
      if (const auto space = files_.space_of(path_))
        room_.store(space->available > effective_reserve(reserve_, *space), std::memory_order_relaxed);
    }
    return room_.load(std::memory_order_relaxed);
  }

private:
  static constexpr std::chrono::nanoseconds interval = std::chrono::milliseconds{100};
  file_system& files_;
  const cairn::clock& clock_;
  const std::string path_;
  const std::uint64_t reserve_;
  std::atomic<std::int64_t> checked_{0};
  std::atomic<bool> room_{true};
};

} // namespace cairn::actors
