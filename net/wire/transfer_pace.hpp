// Whether a client reads or sends fast enough (limits.transfer_rate_min). Only the time during which the node waits for
// the client counts. The first window is not checked. Each further window must transfer the minimum number of bytes, so
// that a link that pauses within a window, or is slow but steady, is kept. A plain class; called by the sweep.
#pragma once

#include "base/seams.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace cairn::net {

struct pace_limits {
  std::uint64_t bytes_per_second = 0; // 0: any
  std::chrono::nanoseconds window{std::chrono::minutes{1}};
};

struct client_wait {
  bool now = false;                  // the node waits for the client
  std::chrono::nanoseconds paced{0}; // in which the client waited for the node (limits.rates), of the whole connection
};

class transfer_pace {
public:
  // One check of the connection. `transfer`: the transfer's number; `moved`: bytes so far in both directions. True: too
  // slow.
  bool too_slow(steady_time now, std::uint64_t transfer, std::uint64_t moved, const client_wait& wait,
                const pace_limits& limits);
  // Bytes per second in this window, of the time waited for the client; the maximum value while that is less than
  // `rate_known_after`.
  static constexpr std::chrono::seconds rate_known_after{5};
  std::uint64_t rate(std::uint64_t moved) const;

private:
  std::uint64_t transfer_ = 0, from_ = 0; // from_: bytes moved when the window began
  std::chrono::nanoseconds waited_{0};    // for the client, in this window
  std::chrono::nanoseconds paced_{0};     // at the last check
  steady_time checked_{};
  bool waited_then_ = false, grace_over_ = false;
};

// Whether a reader whose socket takes nothing is too slow all the same. The socket takes up to a mebibyte ahead of its
// client (net/wire/session_socket.hpp), so what it takes comes in steps: at 10 KiB/s one a minute. What the client has
// acknowledged tells its rate. A plain class; called when the connection is about to be ended.
class delivery_pace {
public:
  // `delivered`: bytes of the connection that the client has acknowledged. False: fewer than `limits` ask for, since
  // the last such check of this transfer at least one window ago.
  bool keeps(steady_time now, std::uint64_t transfer, std::uint64_t delivered, const pace_limits& limits);

private:
  std::optional<std::uint64_t> transfer_;
  std::uint64_t from_ = 0;
  steady_time since_{};
};

} // namespace cairn::net
