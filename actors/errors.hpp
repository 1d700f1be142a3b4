// Our errors as CAF errors and back. Category "cairn", code = errc, context = the text. What CAF itself reports becomes
// timeout, stopping or io_error, with CAF's words.
#pragma once

#include "config/error.hpp"

#include <caf/error.hpp>

namespace cairn::actors {

caf::error to_caf(const error& e);
error from_caf(const caf::error& e);

} // namespace cairn::actors
