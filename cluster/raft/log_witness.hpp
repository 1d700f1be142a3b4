// Which servers lack entries that they had acknowledged to this leader: their disk is an older copy (restored from an
// image), or one that lost what it had flushed. Such a server may have voted for what it no longer knows, and its log
// is counted for entries that it lacks. Its identity must be refused.
//
// A server keeps the entries that it acknowledged in this leader's term until another term begins. So a later start of
// it whose log ends before them has lost them. Only a rejection tells where a log ends, and the first request to a
// server that lost entries is rejected, because it begins behind what was acknowledged. What a server acknowledged to
// earlier leaders is not known here.
//
// A decision: no clock, no engine. One owner.
#pragma once

#include "cluster/raft/raft_types.hpp"

#include <map>

namespace cairn::cluster::raft {

class log_witness {
public:
  void reset(); // it leads no more
  // An answer from a start of `server` to the leader of `term`; `match`: the last entry known to be on the server
  // before. True: this start of the server is now known to have lost entries.
  bool note(server_id server, std::uint64_t incarnation, term_t term, index_t match, const append_answer& a);
  const std::map<server_id, std::uint64_t>& lost() const { return lost_; } // which start of which server

private:
  struct start {
    std::uint64_t incarnation = 0;
    index_t acknowledged = 0; // by earlier starts
  };
  term_t term_ = 0;
  std::map<server_id, start> starts_;
  std::map<server_id, std::uint64_t> lost_;
};

} // namespace cairn::cluster::raft
