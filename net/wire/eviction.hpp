// Chooses which connections to evict when connections or memory run low: those that make no progress, longest first, of
// the party that has most. Pure; called by the server's sweep. (Compare nginx, which closes idle keep-alive connections
// when it runs out of worker_connections, and the overload manager of Envoy.)
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cairn::net {

// The state of a connection, in the order of eviction. Active connections are never evicted.
enum class standing : std::uint8_t {
  silent,  // no request yet: waits for a TLS handshake or for the first head
  idle,    // between requests
  stalled, // within a request, and the client makes no progress
  active,
};

struct connection_place {
  standing kind = standing::active;
  std::chrono::nanoseconds since{0};      // without progress
  std::uint32_t connections_of_party = 0; // by key or address
};
// Indexes of at most `wanted` places to clear.
std::vector<std::size_t> places_to_clear(const std::vector<connection_place>& places, std::size_t wanted);

// A request that holds memory while it waits for its client. Progress is what the client sends, or acknowledges: a
// client at rest between two retransmissions makes none for up to some seconds.
struct memory_holder {
  std::size_t held_bytes = 0;
  std::chrono::nanoseconds since{0}; // without progress
  std::uint64_t bytes_per_second = 0;
  std::size_t held_by_party = 0;
};
struct memory_pressure {
  std::size_t in_use_bytes = 0, limit_bytes = 0;
  bool has_waiters = false;
};

// How long a client may make no progress: 30 s when half of the memory is used, down to `patience_min` when it is
// spent. Below half there is no limit. The minimum is longer than TCP's pauses on lossy links, and than those of a busy
// client: a request that finds no memory can be repeated, a broken transfer cannot. The parties' shares leave memory
// for others meanwhile.
constexpr std::chrono::seconds patience_min{5};
std::chrono::nanoseconds patience_under(const memory_pressure& pressure);
// Indexes of the requests to end so that at most 3/8 of the pool stays in use, the worst first: by the time without
// progress times what the party holds. A client slower than `slow_rate` counts as stalled when memory is nearly spent.
constexpr std::uint64_t slow_rate = 4096;
std::vector<std::size_t> holders_to_end(const std::vector<memory_holder>& holders, const memory_pressure& pressure);

} // namespace cairn::net
