// Who gives way when connections or memory run low: those that make no progress, longest first, of the party that has
// most. Pure; the server's sweep asks. (Compare nginx, which closes idle keep-alive connections when it runs out of
// worker_connections, and the overload manager of Envoy.)
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cairn::net {

// How a connection stands, in the order in which they give way. Active ones never do.
enum class standing : std::uint8_t {
  silent,  // no request yet: a TLS handshake or the first head is waited for
  idle,    // between requests
  stalled, // within a request, whose client makes no progress
  active,
};

struct connection_place {
  standing kind = standing::active;
  std::chrono::nanoseconds since{0};      // without progress
  std::uint32_t connections_of_party = 0; // by key or address
};
// Indexes of at most `wanted` places to clear.
std::vector<std::size_t> places_to_clear(const std::vector<connection_place>& places, std::size_t wanted);

// A request that holds memory while its client is waited for.
struct memory_holder {
  std::size_t held_bytes = 0;
  std::chrono::nanoseconds since{0}; // without progress
  std::uint64_t bytes_per_second = 0;
  std::size_t held_by_party = 0;
};
struct memory_pressure {
  std::size_t in_use_bytes = 0, limit_bytes = 0;
  bool somebody_waits = false;
};

// How long a client may make no progress: 30 s when half of the memory is used, down to half a second when it is spent.
// Nothing below half.
std::chrono::nanoseconds patience_under(const memory_pressure& pressure);
// Indexes of those to end, until the pool is used by 3/8 at most. A client slower than `slow_rate` counts as stalled
// when memory is nearly spent.
constexpr std::uint64_t slow_rate = 4096;
std::vector<std::size_t> holders_to_end(const std::vector<memory_holder>& holders, const memory_pressure& pressure);

} // namespace cairn::net
