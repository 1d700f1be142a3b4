// The checksum of bytes that are stored already: they are read as a download reads them, a window of them in memory.
#pragma once

#include "net/gateway/routes/route_steps.hpp"
#include "net/s3/body/checksums.hpp"

#include <functional>

namespace cairn::net {

struct stored_range {
  actors::object_name object;
  storage::metadata::version_place place; // of the version that is meant
  actors::byte_range bytes;               // within it
};

// `done` gets the checksum in base64, on the strand; it is dropped when the session closes, and the reading ends.
// Errors: stale_source when the name leads to another version by now, no_such_key, and what reading fails with.
void checksum_of(const session_ptr& session, stored_range range, storage::checksum_kind kind,
                 std::function<void(result<std::string>)> done);

} // namespace cairn::net
