// What a start finds in the segment files. It tells an interrupted write, which it cuts off, from damage, which it
// reports (`corrupt`) without changing a file. Blocking. Errors: corrupt, unsupported, io_error, no_space.
#pragma once

#include "cluster/raft/log/log_contents.hpp"
#include "cluster/raft/log/log_segment.hpp"

#include <deque>

namespace cairn::cluster::raft {

struct recovered_log {
  std::deque<log_segment> segments; // consecutive numbers; the last one is written
  log_contents contents;
  std::uint64_t next_batch = 1;

  std::uint64_t first_number() const { return segments.front().header.number; }
};

class log_recovery {
public:
  log_recovery(file_system& files, const std::string& directory) : files_(files), directory_(directory) {}
  // `names`: the files of the directory. `applied`: the last entry that the state contains. The log was flushed at
  // least up to there, so what is damaged before it is no interrupted write. What is recovered is durable.
  result<recovered_log> run(const std::vector<std::string>& names, index_t applied);

private:
  struct batch_place {
    std::shared_ptr<cairn::file> file; // null: none yet
    std::uint64_t at = 0, end = 0;
  };

  result<void> read_segment(log_segment s);
  result<bool> is_unfinished(std::uint64_t number) const;
  result<void> cut_tail(log_segment& last, index_t applied);
  result<void> write_last_again() const;
  error damaged(std::uint64_t segment, const std::string& what) const;

  file_system& files_;
  const std::string& directory_;
  recovered_log out_;
  batch_place last_;
};

} // namespace cairn::cluster::raft
