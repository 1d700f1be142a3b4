// The conversion of a log that an older build kept in LMDB, in the same directory. It is read once and written as
// segment files; the log marker then replaces the older file, which makes the new files count. After a crash before
// that, the conversion begins again. Blocking; the caller holds the lock of the data directory. Errors: those of LMDB
// and of raft_log; no_space leaves the older log as it was.
//
// The older log's tables:
//   record   "log"       → version:u8 term vote first snapshot:bool [index term servers_index servers:string]   varints
//   entries  index:u64   → version:u8 kind:u8 term:varint bytes
// `first`: the oldest entry of the log. Rows before it are obsolete.
#pragma once

#include "cluster/raft/log/raft_log.hpp"
#include "storage/kv/kv.hpp"

namespace cairn::cluster::raft {

constexpr storage::table_id older_log_tables = 2;

result<stored_state> read_older_log(storage::kv_engine& engine);
// Does nothing in a directory without an older log.
result<void> convert_older_log(file_system& files, const std::string& directory, random_source& random);

} // namespace cairn::cluster::raft
