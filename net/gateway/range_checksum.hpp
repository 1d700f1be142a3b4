// The checksum of stored bytes, which are read like a download, with one window of them in memory.
#pragma once

#include "net/gateway/ask.hpp"
#include "net/s3/body/checksums.hpp"

#include <functional>

namespace cairn::net {

struct stored_range {
  actors::object_name object;
  storage::metadata::version_place place; // of the version to read
  actors::byte_range bytes;               // within it
};

// Calls `done` with the checksum in base64, on the strand. When the session closes, the read ends and `done` is
// dropped. Errors: stale_source if the name refers to another version by now, no_such_key, errors of the read.
void checksum_of(const session_ptr& session, stored_range range, checksum_kind kind,
                 std::function<void(result<std::string>)> done);

} // namespace cairn::net
