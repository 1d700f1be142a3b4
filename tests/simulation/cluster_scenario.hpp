// A whole cluster of the production actors under message faults, partitions, crashes with and without loss of power,
// and drifting clocks. Checked: what was acknowledged is there and exact, reads and conditional writes are linearizable
// for each key, every request is answered, all nodes agree once all is mended, and nothing is left behind.
//
// Not checked: timing, bandwidth, TLS and framing of links (tests of actors/link), LMDB and real disks (tests/crash).
#pragma once

#include "tests/simulation/scenario.hpp"

namespace cairn::sim {

run_result run_cluster(world& w, std::uint64_t seed);

} // namespace cairn::sim
