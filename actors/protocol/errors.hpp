// Our errors as CAF errors and back. Category "cairn", code = errc, context = the text. CAF's own errors become
// timeout, stopping or io_error, with CAF's text.
#pragma once

#include "base/error.hpp"
#include "base/third_party/caf.hpp"

namespace cairn::actors {

caf::error to_caf(const error& e);
error from_caf(const caf::error& e);

// Whether a request that ended with this code is logged for the operator, because the node or the cluster failed. Not
// so for outcomes that a client can cause: something does not exist, is refused, exceeds a limit, or fills the disk.
bool is_fault(errc code);

} // namespace cairn::actors
