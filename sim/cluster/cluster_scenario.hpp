// A whole cluster of the production actors under message faults, partitions, crashes with and without loss of power,
// drifting clocks, doubled messages and bits that rot, while nodes join, are drained and removed, get other weights and
// zones, fall behind the log, and lose their disks, and users write, read and upload in parts. Checked: what was
// acknowledged is there and exact, reads and conditional writes are linearizable for each key, every request is
// answered, damage is mended, once all is mended all nodes agree, every chunk is on all its owners, the log grows no
// more, and nothing is left behind. Hostile clusters may have lifecycle rules, too: what they are about may vanish when
// it is due and must be gone at the end, all else stays.
//
// Not checked: timing, bandwidth, TLS and framing of links (tests of actors/link), LMDB and real disks (tests/crash).
#pragma once

#include "sim/world/scenario.hpp"

namespace cairn::sim {

run_result run_cluster(world& w, std::uint64_t seed);
// The same with everything that cluster_plan.hpp calls hostile, for campaigns (`./dev test long`).
run_result run_hostile_cluster(world& w, std::uint64_t seed);

} // namespace cairn::sim
