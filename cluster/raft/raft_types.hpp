// The words of consensus in our own plain types: what raft_core (the engine), raft_log (its disk), raft_message (the
// wire) and raft_node (what an actor drives) exchange. D. Ongaro, "Consensus: Bridging Theory and Practice" (2014)
// gives the rules. Indexes and terms begin at 1; 0 means none. Times are milliseconds of a monotonic clock.
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
using server_id = std::uint64_t; // > 0; a server keeps its id for ever, and an id is never given away again
using time_ms = std::uint64_t;

// What bounds a message: those of entries are split, and never above this on the wire.
constexpr std::size_t message_bytes_max = 1 << 20;
constexpr std::size_t entry_bytes_max = message_bytes_max - (1 << 10); // so that an entry fits a message
constexpr std::size_t message_entries_max = 1024;
constexpr std::size_t servers_max = 64;
constexpr std::uint64_t number_max = std::uint64_t{1} << 62;    // of indexes and terms that are believed
constexpr std::uint64_t term_step_max = std::uint64_t{1} << 32; // a term further ahead of ours is absurd

enum class entry_kind : std::uint8_t { command = 1, barrier = 2, change = 3 };

struct entry {
  term_t term = 0;
  entry_kind kind = entry_kind::command;
  std::shared_ptr<const std::string> bytes; // never null, but where a function says that it leaves commands out

  std::string_view view() const { return bytes ? std::string_view{*bytes} : std::string_view{}; }
};
inline std::shared_ptr<const std::string> share(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}

// A voter counts in majorities; a standby only holds the log.
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

// What replaces the log up to `index`: the state machine holds the effect of all entries up to there.
struct snapshot_record {
  index_t index = 0;
  term_t term = 0; // of the entry at index
  configuration servers;
  index_t servers_index = 0; // of the change that made this configuration
};

// --- messages between servers

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
  std::vector<entry> entries; // those behind `previous`
};
struct append_answer {
  term_t term = 0;
  index_t rejected = 0; // 0: accepted
  index_t last = 0;     // stored up to here; after a rejection a hint
  friend bool operator==(const append_answer&, const append_answer&) = default;
};
// An answer to a message of an older term: it tells the term and nothing of the log.
constexpr index_t rejected_as_stale = number_max;
// "The entries that you miss are gone: fetch the state, which has at least the entries up to `index`."
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
// A round of linearizable reads: "is your term still `term`?", answered only by yes.
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

// --- what must reach the disk

struct vote_record {
  term_t term = 0;
  server_id vote = 0; // 0: none yet in this term
};

// The log up to the record's index is in the state machine; its entries before `keep` may go.
struct compaction {
  snapshot_record record;
  index_t keep = 0;
};

// One durable step, in this order. The writes of a server are numbered without gaps and stored in order.
struct log_write {
  std::uint64_t number = 0;
  std::optional<vote_record> vote;
  std::optional<snapshot_record> snapshot; // the whole log is replaced by this
  index_t first = 0;                       // of the entries; what the log has from here on goes first
  std::vector<entry> entries;              // empty: the log stays
  std::optional<raft::compaction> compaction;
};

// What a server starts from.
struct stored_state {
  vote_record vote;
  std::optional<snapshot_record> snapshot;
  index_t first = 1;          // of the entries
  std::vector<entry> entries; // commands may lack their bytes up to the index that was applied
  std::uint64_t bytes = 0;    // of the entries behind the snapshot, those that are lacking included
};

} // namespace cairn::cluster::raft
