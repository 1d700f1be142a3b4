// What the actor of the log drives: the engine, the packing of commands into entries, the order of applying,
// linearizable reads, and the tickets of waiting requests. No disk, no network, no clock, no thread; one owner. After
// each call the owner takes the update and executes it:
//
//   writes    raft_log::write, in order, then `stored`. If a write has a snapshot: write it, replace the state by the
//             staged state, then `stored`. (After a crash between the two, the state is older than the log's snapshot;
//             the staged state, complete and durable since before `install`, then replaces it at the start.)
//   messages  to the link; may be lost, duplicated, late
//   reads     raft_log::read, then `filled`
//   to_apply  to the state machine in order, each once, with the applied index in the same transaction; then answer
//             the tickets with the results and call `applied`. Entries that are no commands are applied as empty
//             batches.
//   answers   to the requesters of the tickets
//   offer     fetch the state from that server, stage all of it, then `install`
//
// A submitted command is answered once: with its result; as not_leader or busy (it never was in the log: retry on
// another server or later); or as unknown (leadership was lost, and the command may still be applied). The (session,
// sequence) of a command makes its retry safe.
//
// An entry's bytes: count:varint, then each command with its length, as storage::metadata::encode packs them.
#pragma once

#include "cluster/raft/raft_core.hpp"

#include <deque>
#include <map>

namespace cairn::cluster::raft {

using ticket = std::uint64_t; // the owner's id of a waiting request

struct node_options {
  core_options core;
  std::size_t entry_bytes = 256 << 10; // packed into one entry, unless one command alone is larger
  std::size_t entry_commands_max = 1024;
  std::size_t unstored_entries_max = 2;   // of a leader; further commands wait and share the next entry
  std::size_t queue_bytes_max = 16 << 20; // of waiting commands; above it they are refused as busy
  std::size_t reads_max = 65536;          // waiting reads; above it they are refused as busy
};

enum class outcome : std::uint8_t { unknown, not_leader, busy, read };

struct answer {
  ticket to = 0;
  outcome what = outcome::busy;
  server_id leader = 0; // not_leader, unknown: the server that may lead now; 0: not known
  index_t index = 0;    // read: the state machine has applied this index, and the read may be served
};

struct committed {
  index_t index = 0;
  entry content;
  std::vector<ticket> tickets; // of its commands, in their order; empty if no request waits here
};

struct node_update : core_update {
  std::vector<committed> to_apply;
  std::vector<answer> answers;
};

struct ticketed_command {
  std::string bytes;
  ticket from = 0;
};

class raft_node {
public:
  // As raft_core::start.
  static result<std::unique_ptr<raft_node>> start(const node_options& options, stored_state stored, index_t applied,
                                                  time_ms now);

  // Commands submitted together share entries. Each has 1 to entry_bytes_max - 16 bytes.
  void submit(std::vector<ticketed_command> commands, time_ms now);
  // Answered with outcome::read when the state machine has applied everything that any server acknowledged before this
  // call.
  void read(ticket t, time_ms now);
  accepted change(server_id id, change_kind kind, time_ms now);
  accepted transfer(server_id to, time_ms now);
  bool compact(index_t index, index_t keep, time_ms now);
  install_answer install(const snapshot_record& record, time_ms now);

  void receive(server_id from, message m, time_ms now);
  // The owner cannot store or apply any more: all waiting requests are answered. It must not report writes as stored
  // afterwards.
  void abandon() { fail_waiting(); }
  void tick(time_ms now); // at `deadline` or later
  void stored(std::uint64_t write, time_ms now);
  void applied(index_t index, time_ms now);
  // The leader of `term` stated in its answer to a read that the entries up to `index` are committed. They are applied
  // here without waiting for its next message, as soon as this log is known to equal the leader's up to `index`.
  void learn_commit(server_id leader, term_t term, index_t index, time_ms now);
  void filled(catch_up&& read, std::vector<entry> entries) { core_->filled(std::move(read), std::move(entries)); }
  node_update take();

  time_ms deadline() const;
  const raft_core& engine() const { return *core_; }

private:
  struct packed {
    term_t term = 0;
    std::vector<ticket> tickets;
  };
  struct round {
    std::uint64_t sequence = 0;
    index_t index = 0; // the commit index before the round
    std::vector<ticket> tickets;
  };

  raft_node(const node_options& options, std::unique_ptr<raft_core> core, index_t applied)
      : options_(options), core_(std::move(core)), applied_(applied), queued_(applied) {}

  void after_event(time_ms now);
  void apply_commit_hint(time_ms now);
  void queue_committed();
  void fail_waiting();
  void pack(time_ms now);
  void begin_round(time_ms now);
  void send_round();
  void finish_rounds();
  void answer_reads();
  bool confirmed(std::uint64_t sequence) const;

  node_options options_;
  std::unique_ptr<raft_core> core_;
  index_t applied_, queued_;
  term_t leading_ = 0; // the term this server leads; 0: it does not

  struct {
    server_id leader = 0;
    term_t term = 0;
    index_t index = 0;
  } commit_hint_; // see learn_commit

  std::deque<ticketed_command> commands_;
  std::size_t queue_bytes_ = 0;
  std::map<index_t, packed> packed_;

  std::vector<ticket> reads_;                // that wait for a round
  std::deque<round> rounds_;                 // that wait for a majority
  std::multimap<index_t, ticket> confirmed_; // reads that wait until this index is applied
  std::size_t reads_waiting_ = 0;
  std::map<server_id, std::uint64_t> echoes_;
  std::uint64_t sequence_ = 0;
  time_ms round_sent_ = 0;

  std::vector<envelope> envelopes_;
  std::vector<committed> to_apply_;
  std::vector<answer> answers_;
};

} // namespace cairn::cluster::raft
