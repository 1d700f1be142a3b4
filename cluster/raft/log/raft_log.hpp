// The storage of a consensus server: term and vote, the entries and the snapshot record, in a directory of its own:
// segment files (log_segment.hpp), the vote (vote_file.hpp), and `data.mdb`, which older builds refuse
// (log_marker.hpp).
//
// A batch of writes is one write and one flush; a new term or vote is flushed before it. `write` is called by one owner
// at a time, on an executor; `read` and the checks may run concurrently with it.
//
// After a crash the log has the effect of a prefix of the batches, which includes every batch whose `write` returned:
// an interrupted write at its end is cut off. A damaged batch with a later one behind it is never cut off, because it
// may have been acknowledged: `corrupt`, and no file is changed. An error of `write` is final until `load`: what is on
// the disk is not known. Errors: io_error, no_space, read_only, corrupt, unsupported.
#pragma once

#include "base/seams.hpp"
#include "cluster/raft/log/log_contents.hpp"
#include "cluster/raft/log/log_recovery.hpp"
#include "cluster/raft/log/vote_file.hpp"
#include "storage/kv/kv_damage.hpp"

#include <atomic>
#include <mutex>

namespace cairn::cluster::raft {

struct log_options {
  std::uint64_t segment_bytes = 64 << 20;     // preallocated; a larger batch gets a larger segment
  std::size_t batch_bytes = 8 << 20;          // a write with more is several batches
  std::shared_ptr<storage::kv_damage> damage; // may be null
  bool converts = false;                      // this log replaces an older build's, which counts until then
};

class raft_log {
public:
  raft_log(file_system& files, std::string directory, random_source& random, log_options options = {});

  result<void> open(); // makes the files of a new log; the other calls open as well
  // Reads the files again. An empty state if there is no log yet. `applied`: the last entry that the state contains;
  // corrupt if the log ends before it. The bytes of commands up to there are left out.
  result<stored_state> load(index_t applied);
  // For what is done with the log of a lost cluster: whatever it ends with, and no bytes of commands.
  result<stored_state> load_what_is_there();
  // Writes the first state of a new server (raft_core::first_state). invalid_argument: a log exists.
  result<void> begin(const stored_state& first);
  result<void> write(std::span<const log_write> batch);
  // Up to `count` entries from `first` on, with at most bytes_max bytes (but at least one entry); empty if the log does
  // not have them.
  result<std::vector<entry>> read(index_t first, std::size_t count, std::size_t bytes_max = message_bytes_max);

  // For checks (log_check.hpp): the segments with what they contain now; the copies of the vote.
  result<std::vector<log_segment>> segments();
  result<void> check_vote();
  error damaged(const std::string& what) const; // corrupt; reported to `damage`
  const std::string& directory() const { return directory_; }

private:
  result<void> reopen(index_t applied = 0); // as in log_recovery
  result<stored_state> load_entries(index_t applied) const;
  result<void> open_vote(const std::vector<std::string>& names);
  result<void> add_segment(std::uint64_t batch_bytes);
  result<void> append(batch_writer& batch);
  result<void> add(batch_writer& batch, index_t first, std::span<const entry> entries);
  result<void> write_all(std::span<const log_write> batch);
  void remove_unneeded();
  const log_segment& segment(std::uint64_t number) const { return log_.segments[number - log_.first_number()]; }
  result<entry> read_entry(cairn::file& file, index_t index, const log_entry_place& place) const;

  file_system& files_;
  const std::string directory_;
  random_source& random_;
  const log_options options_;

  std::mutex owner_; // of a load or write; taken before contents_
  std::atomic<bool> open_ = false;
  bool failed_ = false;
  vote_file vote_file_;
  vote_record vote_;

  std::mutex contents_; // of log_, which only the owner changes
  recovered_log log_;
};

} // namespace cairn::cluster::raft
