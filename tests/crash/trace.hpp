// What the shim writes and the checker reads: every change of files below a directory, in the order in which they
// happened, with the workload's own words in between. A file is one event after the other: header, path, data. Both
// sides run on the same machine, so the header is a plain struct.
#pragma once

#include <cstdint>

namespace cairn::crash {

enum class event_kind : std::uint8_t {
  open = 1,     // file, path, created
  write,        // file, at, data
  synced_write, // the same through O_DSYNC or O_SYNC: durable when it returned
  flush,        // file: fsync, fdatasync
  resize,       // file, at: the new size; also what preallocation did to it
  punch,        // file, at, length
  make_directory,
  flush_directory,
  remove,
  rename,      // path is "from\0to"
  say,         // data: a line of the workload
  unsupported, // data: a call that the harness does not model; the checker refuses the trace
};

struct event_header {
  event_kind kind{};
  std::uint8_t created = 0;
  std::uint16_t zero = 0;
  std::uint32_t file = 0; // given at open, never reused
  std::uint64_t at = 0, length = 0;
  std::uint32_t path_bytes = 0, data_bytes = 0; // that follow
};

constexpr const char* trace_variable = "CAIRN_CRASH_TRACE"; // the file to write
constexpr const char* root_variable = "CAIRN_CRASH_ROOT";   // paths are relative to it
constexpr const char* said_variable = "CAIRN_CRASH_SAID";   // what is written to this file becomes `say` events

} // namespace cairn::crash
