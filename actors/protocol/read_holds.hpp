// The log indexes that running reads still use. A blob that was buried at index b can be needed only by a read that
// began before b, so the reaper deletes its chunks once b ≤ oldest(). A hold older than a day does not count: a client
// that hangs must not keep space allocated for ever. Thread-safe; a hold may be released on any thread.
#pragma once

#include "actors/protocol/messages.hpp"

#include <limits>
#include <map>
#include <mutex>

namespace cairn::actors {

class read_holds : public std::enable_shared_from_this<read_holds> {
public:
  static constexpr std::chrono::hours hold_max{24};
  static constexpr log_index none = std::numeric_limits<log_index>::max();

  explicit read_holds(const cairn::clock& clock) : clock_(clock) {} // owned by a shared_ptr; the clock outlives it

  // Keeps what was live at `index` from being deleted. Acquire it before taking the snapshot that the read uses.
  read_hold acquire(log_index index);
  log_index oldest() const; // `none` without holds
  std::size_t size() const;

private:
  struct holders {
    std::size_t count = 0;
    steady_time latest;
  };
  void release(log_index index);

  const cairn::clock& clock_;
  mutable std::mutex mutex_;
  std::map<log_index, holders> held_;
};

} // namespace cairn::actors
