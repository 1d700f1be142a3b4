// Consensus under all faults together: crashes with and without the pending writes; lost, doubled and late messages;
// one-way partitions; drifting clocks; frozen processes; failing disks; compaction and snapshot transfers; membership
// changes; leadership transfers; voters that crash right after their vote.
//
// Checks: at most one leader per term; one vote of each server per term; a server remembers the terms and votes that it
// has sent; commit indexes never fall; logs and states agree up to them; a command is acknowledged once, by its own
// entry, which a majority has stored and which stays; a read shows everything that any client knew when it began; after
// the faults are repaired all servers agree and the cluster works. Does not check: how soon a leader is elected during
// faults, and the transfer of a state's bytes.
#pragma once

#include <cstdint>
#include <string>

namespace cairn::sim {

struct raft_run {
  std::string problem; // empty: every check held
  std::string options; // what the seed drew, and a summary of the run
  std::uint64_t digest = 0;
};
raft_run run_raft(std::uint64_t seed);

} // namespace cairn::sim
