// The whole state of one metadata group as a file: for catching up a node, and for backups. Only the tables of
// tables.hpp; what else an engine holds (the consensus log) is neither written nor touched.
//
// Grammar: dump.cpp. Rows stand in the order of their keys, so equal states written by one build have equal files.
// Memory is bounded by a piece, but for what the engine needs for a transaction of its own. Blocking: on an executor.
#pragma once

#include "base/file_system.hpp"
#include "base/ids.hpp"
#include "storage/kv/kv.hpp"

#include <functional>

namespace cairn::storage::metadata {

constexpr std::size_t dump_piece_bytes_max = 256 * 1024; // of rows; a row lies in one piece, a larger one alone
constexpr std::size_t dump_row_bytes_max = 2 << 20;

struct dump_header {
  group_id group = 0;
  log_index applied = 0; // the batch that the state shows
};
struct dump_info {
  dump_header header;
  std::uint64_t rows = 0, bytes = 0; // of the whole file
};

// Of one snapshot. Written as `path`.new, flushed, renamed over `path`: after a crash the old file or the new one is
// there. Errors: io_error, no_space, corrupt (the group has no rows, or some that are not metadata's).
result<dump_info> write_dump(kv_reader& kv, group_id group, file_system& files, const std::string& path);

// What the file says of itself; only the header is verified. not_found, corrupt, unsupported, io_error.
result<dump_header> read_dump_header(file_system& files, const std::string& path);

// Reads and verifies all of it. not_found, corrupt, unsupported, io_error.
result<dump_info> verify_dump(file_system& files, const std::string& path);

// Verifies the file, then makes the group's tables what it says, in one transaction of the engine: after a crash the
// old state or the new one is there, and so it is for views. `also` adds writes of the caller's to that transaction;
// its error drops everything. Rows that are as the file says are not written again. Nobody else may have the group's
// state in memory, or he has to forget it. Errors: those of verify_dump, no_space, read_only, what `also` answers;
// with any of them nothing has changed.
using dump_companion = std::function<result<void>(kv_writer&)>;
result<dump_info> load_dump(kv_engine& engine, file_system& files, const std::string& path,
                            const dump_companion& also = {});
// The engine's whole contents become what the file says, without a look at what they were: they may be damaged. Other
// groups go, too. Errors as those of load_dump.
result<dump_info> rebuild_from_dump(kv_engine& engine, file_system& files, const std::string& path);

} // namespace cairn::storage::metadata
