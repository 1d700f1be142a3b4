// A whole node (ingest, streamer, sequencer, chunk stores, metadata, reaper) over simulated disks, used by several
// clients at once, killed and powered off in between, its disks failing, filling up or rotting as the seed says.
//
// Checks: acknowledged objects are exact, unacknowledged ones absent or whole, after every restart too; every read is
// what was possible at some moment of it and byte-exact, or fails loudly; conditional puts; listings; windows; failures
// only where this run's faults explain them; nothing hangs; at the end memory, holds, gauges and actors are back to
// nothing, and when everything was deleted, so is every chunk. Does not check: linearizability across keys, LMDB and
// the kernel (the crash harness does), HTTP.
#pragma once

#include "sim/world/scenario.hpp"

namespace cairn::sim {

run_result run_node(world& w, std::uint64_t seed);

} // namespace cairn::sim
