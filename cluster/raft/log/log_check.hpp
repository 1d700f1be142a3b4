// The scrub of the consensus log: reads the vote and all segments in small steps and verifies their checksums, so that
// damage is found before a start or another member needs what is damaged. The log reports it to its `kv_damage`. The
// rest of a damaged segment is skipped.
//
// A plain value; the log outlives it and may be written meanwhile. Blocking: on an executor.
#pragma once

#include "cluster/raft/log/raft_log.hpp"
#include "storage/kv/kv_check.hpp"

namespace cairn::cluster::raft {

class log_check {
public:
  explicit log_check(raft_log& log) : log_(log) {}
  // Reads batches of one segment with about so many records (1 or more) in all; they count as rows.
  storage::kv_checked step(std::size_t records);

private:
  result<std::uint64_t> read_segment(const log_segment& s, std::size_t records);
  raft_log& log_;
  std::uint64_t segment_ = 0;        // 0: the vote is next
  std::uint64_t at_ = 0, batch_ = 0; // in the segment; at_ 0: its header is next
};

} // namespace cairn::cluster::raft
