// One consensus server's engine: events in, an update out (what to store, what to send). No disk, no network, no clock,
// no thread: whoever owns it calls it from one place, stores and sends what `take` hands out, and tells what was
// stored. Beneath it is cowsql's raft 0.22.1 through its I/O-free step function, of which only the files that include
// raft_core_impl.hpp know. Around the library stand guards for what it gets wrong or leaves to its user; each is
// commented where it stands.
//
// Promises, as long as the owner stores the writes in order and reports each only when it is durable:
// - A message leaves `take` only when the term and vote it depends on are stored, and an answer that entries are stored
//   only when they are. An entry that was reported as committed stays at its index on every server.
// - Every message is checked before it reaches the library. A message that makes no sense is dropped.
// After an error in `failure` the server must be made anew from its disk; nothing leaves it any more.
//
// Memory: the entries that are not yet stored and applied, older ones up to cache_bytes, and the terms of the whole
// log.
#pragma once

#include "base/error.hpp"
#include "cluster/raft/raft_types.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace cairn::cluster::raft {

struct core_options {
  server_id id = 0;
  std::uint32_t seed = 1;      // of the random election timeouts: another one each start
  unsigned election_ms = 1000; // a follower without a leader waits once to twice this long
  unsigned heartbeat_ms = 100;
  unsigned offer_ms = 2000; // a snapshot offer is repeated after this
  std::size_t cache_bytes = 16 << 20;
  std::size_t waiting_bytes_max = 64 << 20; // of entries that wait to be stored and applied; above it no more are taken
};

enum class role : std::uint8_t { follower, candidate, leader };

// Entries for a follower that is far behind: read `count` of them behind head.previous from the log, at most 1 MiB at a
// time, and hand them to `filled`.
struct catch_up {
  server_id to = 0;
  append_request head;
  std::size_t count = 0;
};

struct core_update {
  std::vector<log_write> writes; // to be stored in this order, then each reported to `stored`
  std::vector<envelope> messages;
  std::vector<catch_up> reads;
  std::optional<envelope> offer; // a leader's snapshot offer: fetch the state, then `install`
};

enum class accepted : std::uint8_t {
  yes,
  not_leader,
  busy,    // a transfer or another change is under way, or this term has not committed anything yet: try again
  behind,  // the server to promote lacks too much of the log
  invalid, // the change makes no sense in the present configuration
};

enum class change_kind : std::uint8_t { add_standby, promote, demote, remove };

enum class install_answer : std::uint8_t {
  begun,      // a write with the snapshot is handed out
  not_needed, // the log has these entries, or the state is newer
  not_now,    // no leader is known, or another one is under way
};

class raft_core {
public:
  // `applied`: what the state machine holds; at least the snapshot's index, at most the last entry. Errors: corrupt
  // (the parts of the stored state contradict each other).
  static result<std::unique_ptr<raft_core>> start(const core_options& options, stored_state stored, index_t applied,
                                                  time_ms now);
  // The stored state of the first server of a new cluster, which leads it alone. `applied`: what its state machine
  // holds already, from before there was a log; 0: nothing.
  static stored_state first_state(server_id id, index_t applied = 0);

  virtual ~raft_core() = default;

  virtual void receive(server_id from, message m, time_ms now) = 0; // not of read rounds and their echoes
  virtual void tick(time_ms now) = 0;                               // at `deadline` or later
  virtual void stored(std::uint64_t write, time_ms now) = 0;        // the writes up to this are durable
  virtual void applied(index_t index) = 0;                          // the state machine holds the entries up to here

  // A leader's. The new entry is at last_index(). At most entry_bytes_max.
  virtual accepted submit(std::shared_ptr<const std::string> command, time_ms now) = 0;
  virtual accepted change(server_id id, change_kind kind, time_ms now) = 0;
  virtual accepted transfer(server_id to, time_ms now) = 0;

  // The state machine is the log up to `index` (≤ applied) from now on; of the entries before, those from `keep` on
  // stay for followers that are a little behind. False: nothing to do, or not now.
  virtual bool compact(index_t index, index_t keep, time_ms now) = 0;
  // A state that was fetched from another server and is staged durably.
  virtual install_answer install(const snapshot_record& record, time_ms now) = 0;

  virtual void filled(catch_up&& read, std::vector<entry> entries) = 0; // what was read; may be fewer
  virtual core_update take() = 0;

  virtual const std::optional<error>& failure() const = 0;
  virtual server_id id() const = 0;
  virtual raft::role role() const = 0;
  virtual term_t term() const = 0;
  virtual server_id leader() const = 0; // of this term; 0: none known
  virtual index_t commit() const = 0;   // never falls
  virtual index_t last_index() const = 0;
  virtual index_t last_stored() const = 0;
  virtual index_t first_kept() const = 0;     // the oldest entry in the log; last_index() + 1 when there is none
  virtual index_t snapshot_index() const = 0; // what the last compaction or install reached
  virtual bool leads() const = 0;             // leader, and an entry of its term is committed
  virtual bool installing() const = 0;
  virtual bool transferring() const = 0;
  virtual time_ms deadline() const = 0;
  virtual const raft::configuration& configuration() const = 0; // the newest, committed or not
  virtual raft::configuration committed_configuration() const = 0;
  virtual term_t term_at(index_t index) const = 0; // 0: not in the log
  virtual const entry* cached(index_t index) const = 0;
  virtual std::size_t waiting_bytes() const = 0;
  virtual std::optional<index_t> match(server_id id) const = 0; // a leader's knowledge of another's log
  virtual snapshot_record snapshot_at(index_t index) const = 0; // snapshot index ≤ index ≤ commit
};

} // namespace cairn::cluster::raft
