// A consensus server's disk: term and vote, the entries, the snapshot record, over the key-value seam. A batch of
// writes is one durable transaction. Plain and synchronous: the owner runs the calls on an executor, writes one at a
// time and in the engine's order; `read` may run beside a write.
//
// After a crash: everything up to some whole batch, and every batch whose `write` returned is in it. An error of
// `write` is final: the server must stop, since it can't know what is on the disk. Errors: io_error, no_space,
// read_only, corrupt, unsupported, quarantined.
//
// Two tables of an engine that others may share, from `first_table` on:
//   record   "log"       → version:u8 term vote first snapshot:bool [index term servers_index servers:string]   varints
//   entries  index:u64   → version:u8 kind:u8 term:varint bytes
// `first`: the oldest entry of the log; rows before it are leftovers, which `tidy` removes.
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

  // An empty log for a server that never was. Of commands up to `applied` the bytes are left out.
  result<stored_state> load(index_t applied);
  // What a new server begins with (raft_core::first_state). invalid_argument: there is a log already.
  result<void> begin(const stored_state& first);

  // `tidy` is called within, so that compaction costs little at a time.
  result<void> write(std::span<const log_write> batch);

  // At most `count` entries from `first` on, about bytes_max of them but at least one; none when they are gone.
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
