// When the open transaction of the state is committed. Nothing is lost if that is late, because the log has the
// entries; a commit costs two flushes, and nothing is applied meanwhile. It is committed when a reader needs its
// changes, when its oldest entry is delay_ms old, or when it is large: its changes are in memory, and are applied again
// after a crash.
//
// A plain class: no clock. One owner.
#pragma once

#include "cluster/raft/raft_types.hpp"

#include <cstddef>
#include <optional>

namespace cairn::actors {

struct commit_limits {
  cluster::raft::time_ms delay_ms = 40;
  std::size_t commands = 2048;
  std::size_t bytes = 4 << 20; // of the entries
};

class commit_pace {
public:
  using time_ms = cluster::raft::time_ms;
  explicit commit_pace(const commit_limits& limits = {}) : limits_(limits) {}

  void applied(std::size_t commands, std::size_t bytes, time_ms now) {
    if (!since_) since_ = now;
    commands_ += commands;
    bytes_ += bytes;
  }
  void ended() { // committed or dropped
    since_.reset();
    commands_ = bytes_ = 0;
  }
  bool open() const noexcept { return since_.has_value(); }
  bool full() const noexcept { return commands_ >= limits_.commands || bytes_ >= limits_.bytes; }
  // `wanted`: somebody waits for what is open.
  bool due(bool wanted, time_ms now) const { return since_ && (wanted || full() || now >= *since_ + limits_.delay_ms); }
  std::optional<time_ms> deadline() const { // when it is due at the latest
    return since_ ? std::optional{*since_ + limits_.delay_ms} : std::nullopt;
  }

private:
  const commit_limits limits_;
  std::optional<time_ms> since_; // nullopt: nothing is open
  std::size_t commands_ = 0, bytes_ = 0;
};

} // namespace cairn::actors
