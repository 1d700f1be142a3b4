// The storage of a consensus server: term and vote, the entries and the snapshot record, on the key-value seam. A batch
// of writes is one durable transaction. Synchronous: the owner runs the calls on an executor, and writes one batch at a
// time in the engine's order; `read` may run concurrently with a write.
//
// After a crash the log has the effect of a prefix of the batches, which includes every batch whose `write` returned.
// An error of `write` is final: the server must stop, since it does not know what is on disk. Errors: io_error,
// no_space, read_only, corrupt, unsupported, quarantined.
//
// Uses two tables of the engine, from `first_table` on:
//   record   "log"       → version:u8 term vote first snapshot:bool [index term servers_index servers:string]   varints
//   entries  index:u64   → version:u8 kind:u8 term:varint bytes
// `first`: the oldest entry of the log. Rows before it are obsolete; `tidy` removes them gradually.
#pragma once

#include "base/error.hpp"
#include "cluster/raft/raft_types.hpp"
#include "storage/kv/kv.hpp"

#include <span>

namespace cairn::cluster::raft {

constexpr storage::table_id raft_log_tables = 2;

class raft_log {
public:
  explicit raft_log(storage::kv_engine& engine, storage::table_id first_table = 0);

  // An empty state if there is no log yet. The bytes of commands up to `applied` are left out.
  result<stored_state> load(index_t applied);
  // Writes the first state of a new server (raft_core::first_state). invalid_argument: a log exists.
  result<void> begin(const stored_state& first);

  // Each call also removes up to 1024 obsolete rows, so that the cost of a compaction is spread over the next writes.
  result<void> write(std::span<const log_write> batch);

  // Up to `count` entries from `first` on, with at most bytes_max bytes (but at least one entry); empty if the log does
  // not have them.
  result<std::vector<entry>> read(index_t first, std::size_t count, std::size_t bytes_max = message_bytes_max) const;

private:
  struct record {
    vote_record vote;
    index_t first = 1;
    std::optional<snapshot_record> snapshot;
  };
  result<record> read_record(storage::kv_reader& kv) const;
  void put_record(storage::kv_writer& kv, const record& r) const;
  void apply(storage::kv_writer& kv, record& r, const log_write& w) const;
  void erase_from(storage::kv_writer& kv, index_t index) const;
  void tidy(storage::kv_writer& kv, const record& r) const;

  storage::kv_engine& engine_;
  storage::table_id records_, entries_;
};

} // namespace cairn::cluster::raft
