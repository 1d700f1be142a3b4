// The whole state of one metadata group as a file: for nodes that are far behind, and for backups. Includes only the
// tables of tables.hpp; other tables of the engine (the consensus log) are neither read nor changed.
//
// Grammar: dump.cpp. Rows are in the order of their keys, so equal states written by one build give equal files. Memory
// use is one piece, and what the engine needs for its transaction. Blocking: on an executor.
#pragma once

#include "base/file_system.hpp"
#include "base/ids.hpp"
#include "storage/kv/kv.hpp"

#include <functional>

namespace cairn::storage::metadata {

constexpr std::size_t dump_piece_bytes_max = 256 * 1024; // of rows; a larger row is a piece by itself
constexpr std::size_t dump_row_bytes_max = 2 << 20;

struct dump_header {
  group_id group = 0;
  log_index applied = 0; // of the last batch that the state includes
};
struct dump_info {
  dump_header header;
  std::uint64_t rows = 0, bytes = 0; // of the whole file
};

// Dumps one snapshot. Written as `path`.new, flushed, renamed over `path`: after a crash the old or the new file is
// there. Errors: io_error, no_space, corrupt (the group has no rows, or a row that is too large for metadata).
result<dump_info> write_dump(kv_reader& kv, group_id group, file_system& files, const std::string& path);

// Reads and verifies only the header. Errors: not_found, corrupt, unsupported, io_error.
result<dump_header> read_dump_header(file_system& files, const std::string& path);

// Reads and verifies the whole file. Errors: not_found, corrupt, unsupported, io_error.
result<dump_info> verify_dump(file_system& files, const std::string& path);

// Verifies the file, then replaces the group's tables by its rows, in one transaction of the engine: after a crash, and
// for concurrent views, there is the old or the new state. `also` adds writes of the caller to that transaction; its
// error aborts the transaction. Rows that are equal are not written again. The caller must discard caches of the
// group's state. Errors: those of verify_dump, no_space, read_only, those of `also`; on an error nothing has changed.
using dump_companion = std::function<result<void>(kv_writer&)>;
result<dump_info> load_dump(kv_engine& engine, file_system& files, const std::string& path,
                            const dump_companion& also = {});
// Replaces the whole contents of the engine by the file's rows, without reading the old contents, which may be damaged.
// Other groups are removed too. Errors as of load_dump.
result<dump_info> rebuild_from_dump(kv_engine& engine, file_system& files, const std::string& path);

} // namespace cairn::storage::metadata
