// Whether the leader's log or state is so much slower than those of the other voters that one of them should lead:
// every metadata write, and the reads after it, wait for the leader's disk, while a slow follower delays nothing. Two
// times are measured for this server and for every other voter: from appending an entry until it is stored, and from
// its commit until it is applied. The leader is slow while its oldest unstored or unapplied entry has waited for
// slow_ms or longer; another voter is slow at half of that. What the others have applied they report once a second; it
// is compared with what was committed when the report arrived.
//
// Leadership should be transferred when the leader was slow repeatedly for patience_ms, and the voters that were not
// slow in that time (nor for the last forget_ms) form a majority without it. The successor is the one of these with the
// most entries stored. After a transfer no other one is suggested for again_ms, so that leadership does not oscillate.
//
// A plain class: no clock, no engine. One owner. Memory: at most marks_max marks for each of the two times.
#pragma once

#include "cluster/raft/raft_types.hpp"

#include <deque>
#include <map>
#include <optional>
#include <span>

namespace cairn::cluster::raft {

struct pace_options {
  time_ms slow_ms = 500;      // of this leader; another voter must need at most half the time
  time_ms patience_ms = 2500; // from the first to the last slow moment
  time_ms forget_ms = 10'000; // so long after the last slow moment a server counts as fast again
  time_ms again_ms = 30'000;  // from one transfer to the next
};

// The times at which entries became ready to be stored, or to be applied.
class waiting_entries {
public:
  void begin(index_t reached); // entries up to it are not measured
  void add(index_t reached, time_ms now);
  time_ms waits(index_t done, time_ms now) const; // age of the oldest entry after `done`; 0: none
  void forget(index_t done);                      // all servers are done with the entries up to `done`

private:
  struct mark {
    index_t index = 0;
    time_ms at = 0;
  };
  std::deque<mark> marks_; // when the entries up to `index` became ready; ascending
  index_t reached_ = 0;
};

class leader_pace {
public:
  struct progress { // of this leader
    index_t last = 0, stored = 0, commit = 0, applied = 0;
  };
  struct report {
    index_t applied = 0;
    time_ms at = 0;
  };
  struct voter {
    server_id id = 0;
    index_t stored = 0;             // the last index that it reported as stored
    std::optional<report> reported; // its last report; nullopt: its state is not measured
  };

  explicit leader_pace(const pace_options& options = {}) : options_(options) {}

  void reset(); // this server ceased to lead, or leads in a new term
  // Called while this server leads in `term`: after each event, and periodically. `voters` without this server.
  void observe(time_ms now, term_t term, const progress& own, std::span<const voter> voters);
  // The server to which leadership should be transferred now, if any.
  std::optional<server_id> successor(time_ms now) const;
  void transferred(time_ms now) { quiet_until_ = now + options_.again_ms; }

private:
  struct other {
    index_t stored = 0;
    std::optional<time_ms> slow_at;
  };

  bool is_slow(const voter& v, time_ms now) const;

  pace_options options_;
  term_t term_ = 0;
  waiting_entries to_store_, to_apply_;
  std::map<server_id, other> others_;
  std::optional<time_ms> slow_since_, slow_at_; // this leader
  time_ms quiet_until_ = 0;
};

} // namespace cairn::cluster::raft
