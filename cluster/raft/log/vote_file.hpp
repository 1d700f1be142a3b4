// A server's term and vote: `vote`, two pages with one copy each, of which a write replaces one after the other. At
// most one of them is torn at a time; if only the older one is intact, the newer vote was never answered. Two damaged
// copies are `corrupt`: a vote that is not known must not be given again.
//
//   copy   "cairnvot" version:u8 sequence:u64 term:u64 vote:u64 zeros crc:u32       a page of 4 KiB
//
// Blocking; one owner. After an error of `write` the file must be read again.
#pragma once

#include "base/file_system.hpp"
#include "cluster/raft/raft_types.hpp"

namespace cairn::cluster::raft {

class vote_file {
public:
  vote_file(file_system& files, std::string directory);

  result<void> create(const vote_record& vote); // atomically; replaces one that is there
  // Makes both copies durable and alike. not_found, corrupt, unsupported, io_error.
  result<vote_record> open();
  result<void> write(const vote_record& vote); // durable
  result<void> check() const;                  // corrupt: a copy is damaged

private:
  result<void> put(unsigned copy);
  file_system& files_;
  const std::string path_;
  std::unique_ptr<cairn::file> file_;
  std::uint64_t sequence_ = 0;
  vote_record vote_;
};

} // namespace cairn::cluster::raft
