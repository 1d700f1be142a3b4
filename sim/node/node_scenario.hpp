// A whole node (ingest, streamer, sequencer, chunk stores, metadata, reaper) over simulated disks, used by several
// clients concurrently, killed and powered off in between; its disks fail or fill up as the seed says.
//
// Checks: acknowledged objects are exact, unacknowledged ones absent or whole, also after every restart; every read
// returns a content that was possible at some moment of it, byte-exact, or fails with an error; conditional puts;
// listings; windows; failures only where this run's faults explain them; nothing hangs; at the end no memory, hold,
// gauge or actor is left, and after everything was deleted no chunk. Does not check: linearizability across keys, LMDB
// and the kernel (the crash harness does), HTTP.
#pragma once

#include "sim/world/scenario.hpp"

namespace cairn::sim {

run_result run_node(world& w, std::uint64_t seed);

} // namespace cairn::sim
