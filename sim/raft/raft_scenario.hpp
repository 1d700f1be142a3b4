// Consensus under everything at once: crashes with and without what was being stored, lost, doubled and late messages,
// one-way partitions, drifting clocks, frozen processes, failing disks, compaction and fetched states, changes of
// membership, transfers, voters that crash right after their vote.
//
// Checks: at most one leader and one vote of each server a term, terms and votes that were told are remembered, commit
// indexes never fall, logs and states agree below them, a command is acknowledged once, by its own entry, which a
// majority has stored and which stays; a read shows everything that anybody knew when it was asked; after mending all
// servers agree and the cluster works. Does not check: how soon a leader is found while things break, and the transfer
// of a state's bytes.
#pragma once

#include <cstdint>
#include <string>

namespace cairn::sim {

struct raft_run {
  std::string problem; // empty: every check held
  std::string options; // what the seed drew, and what happened
  std::uint64_t digest = 0;
};
raft_run run_raft(std::uint64_t seed);

} // namespace cairn::sim
