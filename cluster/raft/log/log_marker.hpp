// `data.mdb` in the log's directory. Builds that kept the log in LMDB open this file first; in a directory with segment
// files it is the first page of an LMDB file of a version that does not exist, so that such a build refuses to start
// instead of beginning an empty log (and voting again). Replacing the older file by the marker is what completes a
// conversion (older_log.hpp). A damaged marker is replaced: an LMDB file with a log has more than one page.
#pragma once

#include "base/file_system.hpp"

namespace cairn::cluster::raft {

enum class log_marker : std::uint8_t { absent, present, damaged, older_log };

result<log_marker> read_log_marker(file_system& files, const std::string& directory); // io_error
result<void> write_log_marker(file_system& files, const std::string& directory);      // durable, atomic

} // namespace cairn::cluster::raft
