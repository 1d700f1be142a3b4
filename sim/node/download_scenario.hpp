// One download through the production streamer and sequencer. Everything around them is drawn from the seed: the object
// (inline, empty, one part, many parts in pages), the ranges, the disks' delays and faults, memory pressure, the
// behaviour of the socket.
//
// Checks: bytes exact and in order, the window, block alignment, one last call, failures only for a planned reason, the
// end within an hour of virtual time; after it no actor, buffer, waiter, hold or gauge is left.
// Does not check: that the window adapts well (unit tests do), and HTTP.
#pragma once

#include "sim/world/scenario.hpp"

namespace cairn::sim {

run_result run_download(world& w, std::uint64_t seed);

} // namespace cairn::sim
