// Clock and randomness as seams: only start-up code names the real ones; the simulator passes its own. The other seams:
// base/file_system.hpp and storage/kv/kv.hpp for disks, base/execution/executor.hpp for blocking work.
#pragma once

#include <chrono>
#include <cstdint>

namespace cairn {

using steady_time = std::chrono::steady_clock::time_point;
using wall_ms = std::int64_t; // milliseconds since 1970-01-01 UTC

class clock {
public:
  virtual ~clock() = default;
  virtual steady_time now() const = 0;
  virtual wall_ms wall() const = 0;
};

class random_source {
public:
  virtual ~random_source() = default;
  virtual std::uint64_t next() = 0; // thread-safe; 64 bits, unpredictable in production, from the seed in simulation
};

// The operating system's clock and random generator; they live as long as the process.
const clock& system_clock();
random_source& system_random();

// Blocks the calling thread. Only for start-up, shut-down and commands: never on a thread of the actors.
void block_thread(std::chrono::milliseconds time);

} // namespace cairn
