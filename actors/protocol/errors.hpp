// Our errors as CAF errors and back. Category "cairn", code = errc, context = the text. What CAF itself reports becomes
// timeout, stopping or io_error, with CAF's words.
#pragma once

#include "base/error.hpp"

#include <caf/error.hpp>

namespace cairn::actors {

caf::error to_caf(const error& e);
error from_caf(const caf::error& e);

// Whether an operator should read of a request that ended so: the node or the cluster could not do it. Not of what a
// client can bring about: what does not exist, is refused, is too much at once, or fills the disk.
bool is_fault(errc code);

} // namespace cairn::actors
