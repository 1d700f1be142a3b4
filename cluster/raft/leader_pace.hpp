// Whether a leader's disk is so much slower than those of the voters that one of them should lead: every write and read
// of the cluster waits for the leader's disk, while a slow follower holds up nobody. Each entry is watched from when it
// was appended until it is stored here and on the others. A server is slow while its oldest entry that is not stored
// waits for slow_ms or longer.
//
// A handover is due when this leader was slow again and again for patience_ms, and enough other voters for a majority
// without it were not: then the cluster is faster under any of them. Not when the others are slow as well, not to one
// that lacks entries, and not again for again_ms, so that leadership does not wander about.
//
// A decision: no clock, no engine. One owner. Memory: marks_max entries.
#pragma once

#include "cluster/raft/raft_types.hpp"

#include <deque>
#include <map>
#include <optional>
#include <span>

namespace cairn::cluster::raft {

struct pace_options {
  time_ms slow_ms = 500;      // of this leader; the others must be twice as fast
  time_ms patience_ms = 2500; // since it was slow first
  time_ms forget_ms = 10'000; // without being slow: it is not slow any more
  time_ms again_ms = 30'000;  // from one handover to the next
};

class leader_pace {
public:
  struct voter {
    server_id id = 0;
    index_t stored = 0; // what the leader knows of its log
  };

  explicit leader_pace(const pace_options& options = {}) : options_(options) {}

  void reset(); // it leads anew, or no more
  // A leader of `term`; after each event, and from time to time. `voters` without this one.
  void observe(time_ms now, term_t term, index_t last, index_t stored, std::span<const voter> voters);
  // Who is to lead, if a handover is due.
  std::optional<server_id> successor(time_ms now) const;
  void handed_over(time_ms now) { quiet_until_ = now + options_.again_ms; }

private:
  struct mark {
    index_t index = 0;
    time_ms at = 0;
  };
  struct other {
    index_t stored = 0;
    std::optional<time_ms> slow_at;
  };

  time_ms waits(index_t stored, time_ms now) const; // its oldest entry that is not stored

  pace_options options_;
  term_t term_ = 0;
  std::deque<mark> marks_; // when entries up to `index` were there; rising
  std::map<server_id, other> others_;
  index_t last_ = 0;
  std::optional<time_ms> slow_since_, slow_at_; // this leader
  time_ms quiet_until_ = 0;
};

} // namespace cairn::cluster::raft
