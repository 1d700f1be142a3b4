// The engine of one consensus server: events in, an update out (what to store, what to send). No disk, no network, no
// clock, no thread; one owner, which stores and sends what `take` returns and reports what is stored. It is built on
// the I/O-free step function of cowsql's raft 0.22.1; only the files that include raft_core_impl.hpp use that library.
// Guards around the library handle its faults and the cases that it leaves to its user; each guard has a comment.
//
// Guarantees, as long as the owner stores the writes in order and reports each only when it is durable:
// - `take` returns a message only when the term and vote that it depends on are stored, and an answer that entries are
//   stored only when they are. A committed entry stays at its index on every server.
// - Every message is validated before it reaches the library; an invalid message is dropped.
// After an error in `failure`, `take` returns nothing more, and the server must be restarted from its disk.
//
// Memory: the entries that are not yet stored and applied, older ones up to cache_bytes, and the terms of all entries
// of the log.
#pragma once

#include "base/error.hpp"
#include "cluster/raft/raft_types.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace cairn::cluster::raft {

struct core_options {
  server_id id = 0;
  std::uint32_t seed = 1;      // of the random election timeouts; must differ from start to start
  unsigned election_ms = 1000; // a follower without a leader waits once to twice this long
  unsigned heartbeat_ms = 100;
  unsigned offer_ms = 2000; // a snapshot offer is repeated after this
  std::size_t cache_bytes = 16 << 20;
  std::size_t waiting_bytes_max = 64 << 20; // of entries not yet stored and applied; above it new ones are refused
};

enum class role : std::uint8_t { follower, candidate, leader };

// Entries for a follower that is far behind: read up to `count` entries after head.previous from the log (at most 1
// MiB) and pass them to `filled`.
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
  busy,    // a transfer or another change is in progress, no entry of this term is committed yet, or too much waits
  behind,  // the server to promote lacks too many entries
  invalid, // the change is not possible in the present configuration
};

enum class change_kind : std::uint8_t { add_standby, promote, demote, remove };

enum class install_answer : std::uint8_t {
  begun,      // `take` returns a write with the snapshot
  not_needed, // the log has these entries, or the state is newer
  not_now,    // no leader is known, this is no follower, or another install is in progress
};

class raft_core {
public:
  // `applied`: the index up to which the state machine has applied the log; at least the snapshot's index, at most the
  // last entry. Errors: corrupt (the parts of the stored state contradict each other).
  static result<std::unique_ptr<raft_core>> start(const core_options& options, stored_state stored, index_t applied,
                                                  time_ms now);
  // The stored state of the first server of a new cluster, its sole voter. `applied`: the index that its state machine
  // reached before there was a log; 0: none.
  static stored_state first_state(server_id id, index_t applied = 0);

  virtual ~raft_core() = default;

  virtual void receive(server_id from, message m, time_ms now) = 0; // ignores read rounds and their echoes
  virtual void tick(time_ms now) = 0;                               // at `deadline` or later
  virtual void stored(std::uint64_t write, time_ms now) = 0;        // the writes up to this number are durable
  virtual void applied(index_t index) = 0;                          // the state machine has applied up to this index

  // For a leader. The new entry is at last_index(). At most entry_bytes_max.
  virtual accepted submit(std::shared_ptr<const std::string> command, time_ms now) = 0;
  virtual accepted change(server_id id, change_kind kind, time_ms now) = 0;
  virtual accepted transfer(server_id to, time_ms now) = 0;

  // Replaces the log up to `index` (≤ applied) by the state machine. The entries from `keep` on are kept, for followers
  // that are a little behind. False: nothing to do, or not possible now.
  virtual bool compact(index_t index, index_t keep, time_ms now) = 0;
  // Replaces log and state by a state that was fetched from another server and is staged durably.
  virtual install_answer install(const snapshot_record& record, time_ms now) = 0;

  virtual void filled(catch_up&& read, std::vector<entry> entries) = 0; // the entries read; may be fewer than `count`
  virtual core_update take() = 0;

  virtual const std::optional<error>& failure() const = 0;
  virtual server_id id() const = 0;
  virtual raft::role role() const = 0;
  virtual term_t term() const = 0;
  virtual server_id leader() const = 0; // of this term; 0: none known
  virtual index_t commit() const = 0;   // never decreases
  virtual index_t last_index() const = 0;
  virtual index_t last_stored() const = 0;
  virtual index_t first_kept() const = 0;     // the oldest entry in the log; last_index() + 1 when there is none
  virtual index_t snapshot_index() const = 0; // of the last compaction or install
  virtual bool leads() const = 0;             // leader, and an entry of its term is committed
  virtual bool installing() const = 0;
  virtual bool transferring() const = 0;
  virtual time_ms deadline() const = 0;
  virtual const raft::configuration& configuration() const = 0; // the newest, committed or not
  virtual raft::configuration committed_configuration() const = 0;
  virtual term_t term_at(index_t index) const = 0; // 0: not in the log
  virtual const entry* cached(index_t index) const = 0;
  virtual std::size_t waiting_bytes() const = 0;
  virtual std::optional<index_t>
  match(server_id id) const = 0; // for a leader: the last index known to be on that server
  virtual snapshot_record snapshot_at(index_t index) const = 0; // snapshot index ≤ index ≤ commit
};

} // namespace cairn::cluster::raft
