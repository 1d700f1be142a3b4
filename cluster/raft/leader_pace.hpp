// Whether the leader's disk is so much slower than the disks of the other voters that one of them should lead: every
// metadata write, and the reads after it, wait for the leader's disk, while a slow follower delays nothing. The time
// from appending an entry until it is stored is measured for this server and for every other voter. The leader is slow
// while its oldest unstored entry has waited for slow_ms or longer; another voter is slow at half of that.
//
// Leadership should be transferred when the leader was slow repeatedly for patience_ms, and the voters that were not
// slow in that time form a majority without it. The successor is the one of these with the most entries stored. After a
// transfer no other one is suggested for again_ms, so that leadership does not oscillate.
//
// A plain class: no clock, no engine. One owner. Memory: at most marks_max marks.
#pragma once

#include "cluster/raft/raft_types.hpp"

#include <deque>
#include <map>
#include <optional>
#include <span>

namespace cairn::cluster::raft {

struct pace_options {
  time_ms slow_ms = 500;      // of this leader; another voter must store entries in half the time
  time_ms patience_ms = 2500; // from the first to the last slow moment
  time_ms forget_ms = 10'000; // so long after the last slow moment the leader counts as fast again
  time_ms again_ms = 30'000;  // from one transfer to the next
};

class leader_pace {
public:
  struct voter {
    server_id id = 0;
    index_t stored = 0; // the last index that it reported as stored
  };

  explicit leader_pace(const pace_options& options = {}) : options_(options) {}

  void reset(); // this server ceased to lead, or leads in a new term
  // Called while this server leads in `term`: after each event, and periodically. `voters` without this server.
  void observe(time_ms now, term_t term, index_t last, index_t stored, std::span<const voter> voters);
  // The server to which leadership should be transferred now, if any.
  std::optional<server_id> successor(time_ms now) const;
  void transferred(time_ms now) { quiet_until_ = now + options_.again_ms; }

private:
  struct mark {
    index_t index = 0;
    time_ms at = 0;
  };
  struct other {
    index_t stored = 0;
    std::optional<time_ms> slow_at;
  };

  time_ms waits(index_t stored, time_ms now) const; // age of the oldest entry after `stored`

  pace_options options_;
  term_t term_ = 0;
  std::deque<mark> marks_; // when the entries up to `index` were appended; ascending
  std::map<server_id, other> others_;
  index_t last_ = 0;
  std::optional<time_ms> slow_since_, slow_at_; // this leader
  time_ms quiet_until_ = 0;
};

} // namespace cairn::cluster::raft
