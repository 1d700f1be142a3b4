// The table of all operations: from method, resource and query to rights, headers and handler (net/s3/operation.hpp).
#pragma once

#include "net/s3/operation.hpp"

#include <span>

namespace cairn::net {

extern const std::span<const s3_operation> s3_operations;

} // namespace cairn::net
