// Whether a client takes or sends its bytes fast enough (limits.transfer_rate_min). Only time in which the node waits
// for the client counts. The first window is free; then each window must bring its bytes, so that a link which pauses
// within a window, or is slow but steady, lives. A plain class; the sweep over the connections asks it.
#pragma once

#include "base/seams.hpp"

#include <chrono>
#include <cstdint>

namespace cairn::net {

struct pace_limits {
  std::uint64_t bytes_per_second = 0; // 0: any
  std::chrono::nanoseconds window{std::chrono::minutes{1}};
};

class transfer_pace {
public:
  // One look at the connection. `transfer` numbers its transfers; `moved` counts its bytes so far, both ways; `waits`:
  // the client is waited for now. True: too slow.
  bool too_slow(storage::steady_time now, std::uint64_t transfer, std::uint64_t moved, bool waits,
                const pace_limits& limits);
  // Bytes a second since the window began, while the client was waited for. Before that was half a second: as fast as
  // can be.
  std::uint64_t rate(std::uint64_t moved) const;

private:
  std::uint64_t transfer_ = 0, from_ = 0; // from_: bytes moved when the window began
  std::chrono::nanoseconds waited_{0};    // in this window
  storage::steady_time looked_{};
  bool waited_then_ = false, grace_over_ = false;
};

} // namespace cairn::net
