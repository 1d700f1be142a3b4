// A whole cluster of the production actors under message faults, partitions, crashes with and without power failures,
// drifting clocks, doubled messages and rotten bits, while nodes join, are drained and removed, get other weights and
// zones, fall behind the log and lose their disks, and users write, read and upload in parts. Checked: acknowledged
// writes exist and are exact; reads and conditional writes are linearizable for each key; every request is answered;
// damage is repaired; after all faults are repaired all nodes agree, every chunk is on all its owners, the log of an
// idle cluster does not grow, and nothing is left over. Hostile clusters may have lifecycle rules too: what a rule
// applies to may disappear once it is due and must be gone at the end; everything else stays.
//
// Not checked: timing, bandwidth, TLS and framing of links (tests of actors/link), LMDB and real disks (tests/crash).
#pragma once

#include "sim/world/scenario.hpp"

namespace cairn::sim {

run_result run_cluster(world& w, std::uint64_t seed);
// The same with everything that cluster_plan.hpp calls hostile, for campaigns (`./dev test long`).
run_result run_hostile_cluster(world& w, std::uint64_t seed);

} // namespace cairn::sim
