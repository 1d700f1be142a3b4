// Plain types that raft_core (the engine), raft_log (its storage), raft_message (the wire format) and raft_node (what
// the actor drives) exchange. The algorithm: D. Ongaro, "Consensus: Bridging Theory and Practice" (2014). Indexes and
// terms begin at 1; 0 means none. Times are milliseconds of a monotonic clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn::cluster::raft {

using term_t = std::uint64_t;
using index_t = std::uint64_t;
using server_id = std::uint64_t; // > 0; never changes, never reused
using time_ms = std::uint64_t;

// Bound of an encoded message; append requests are split to keep it.
constexpr std::size_t message_bytes_max = 1 << 20;
constexpr std::size_t entry_bytes_max = message_bytes_max - (1 << 10); // so that an entry fits a message
constexpr std::size_t message_entries_max = 1024;
constexpr std::size_t servers_max = 64;
constexpr std::uint64_t number_max = std::uint64_t{1} << 62;    // a message with a larger index or term is invalid
constexpr std::uint64_t term_step_max = std::uint64_t{1} << 32; // so is one whose term is further ahead of ours

enum class entry_kind : std::uint8_t { command = 1, barrier = 2, change = 3 };

struct entry {
  term_t term = 0;
  entry_kind kind = entry_kind::command;
  std::shared_ptr<const std::string> bytes; // null only where a function says that it leaves out the bytes of commands

  std::string_view view() const { return bytes ? std::string_view{*bytes} : std::string_view{}; }
};
inline std::shared_ptr<const std::string> share(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

// A voter counts for majorities; a standby only replicates the log.
enum class server_role : std::uint8_t { standby = 0, voter = 1 };

struct server {
  server_id id = 0;
  server_role role = server_role::standby;
  friend bool operator==(const server&, const server&) = default;
};

struct configuration {
  std::vector<server> servers; // ascending ids

  const server* find(server_id id) const;
  bool is_voter(server_id id) const;
  std::size_t voters() const;
  friend bool operator==(const configuration&, const configuration&) = default;
};

// Replaces the log up to `index`: the state machine has applied all entries up to there.
struct snapshot_record {
  index_t index = 0;
  term_t term = 0; // of the entry at index
  configuration servers;
  index_t servers_index = 0; // of the entry with this configuration
};

struct vote_request {
  term_t term = 0;
  index_t last_index = 0;
  term_t last_term = 0;
  bool disrupt_leader = false, pre_vote = false;
  friend bool operator==(const vote_request&, const vote_request&) = default;
};
struct vote_answer {
  term_t term = 0;
  bool granted = false, pre_vote = false;
  friend bool operator==(const vote_answer&, const vote_answer&) = default;
};
struct append_request {
  term_t term = 0;
  index_t previous = 0;
  term_t previous_term = 0;
  index_t commit = 0;
  std::vector<entry> entries; // those after `previous`
};
struct append_answer {
  term_t term = 0;
  index_t rejected = 0; // 0: accepted
  index_t last = 0;     // stored up to here; in a rejection a hint
  friend bool operator==(const append_answer&, const append_answer&) = default;
};
// `rejected` of an answer to a message of an older term: it carries the newer term and says nothing about the log.
constexpr index_t rejected_as_stale = number_max;
// The entries that the follower lacks are compacted: it should fetch the state, which includes at least the entries up
// to `index`.
struct snapshot_offer {
  term_t term = 0;
  index_t index = 0;
  term_t index_term = 0;
  friend bool operator==(const snapshot_offer&, const snapshot_offer&) = default;
};
struct timeout_now {
  term_t term = 0;
  index_t last_index = 0;
  term_t last_term = 0;
  friend bool operator==(const timeout_now&, const timeout_now&) = default;
};
// A round of linearizable reads: asks whether the receiver is still in `term`. Only a positive answer is sent.
struct read_round {
  term_t term = 0;
  std::uint64_t sequence = 0;
  friend bool operator==(const read_round&, const read_round&) = default;
};
struct read_echo {
  term_t term = 0;
  std::uint64_t sequence = 0;
  friend bool operator==(const read_echo&, const read_echo&) = default;
};

using message = std::variant<vote_request, vote_answer, append_request, append_answer, snapshot_offer, timeout_now,
                             read_round, read_echo>;

struct envelope {
  server_id from = 0, to = 0;
  message body;
};

struct vote_record {
  term_t term = 0;
  server_id vote = 0; // 0: none yet in this term
};

// The state machine has applied the log up to the record's index; the entries before `keep` may be removed.
struct compaction {
  snapshot_record record;
  index_t keep = 0;
};

// One durable step; its parts are applied in this order. The writes of a server are numbered without gaps and stored in
// order.
struct log_write {
  std::uint64_t number = 0;
  std::optional<vote_record> vote;
  std::optional<snapshot_record> snapshot; // replaces the whole log
  index_t first = 0;                       // of the entries; the log is first truncated from here on
  std::vector<entry> entries;              // empty: the log stays
  std::optional<raft::compaction> compaction;
};

// What a server starts from, as loaded from disk.
struct stored_state {
  vote_record vote;
  std::optional<snapshot_record> snapshot;
  index_t first = 1;          // of the entries
  std::vector<entry> entries; // commands up to the applied index may lack their bytes
  std::uint64_t bytes = 0;    // size of the rows of the entries after the snapshot, including bytes that are left out
};

} // namespace cairn::cluster::raft
