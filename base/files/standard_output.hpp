// Standard output as a file to which lines are appended. A write waits while the reader of a pipe does not read.
// Errors: io_error, no_space (redirected to a full disk), unsupported (all that a stream has not).
#pragma once

#include "base/file_system.hpp"

#include <memory>

namespace cairn {

std::unique_ptr<file> standard_output();

} // namespace cairn
