// Rows of the table of operations by name, for tests.
#pragma once

#include "base/error.hpp"
#include "net/gateway/routes/operation_table.hpp"

#include <algorithm>

namespace cairn::net {

inline const s3_operation& operation_named(std::string_view name) {
  const auto found = std::ranges::find(s3_operations, name, &s3_operation::name);
  CAIRN_ASSERT(found != s3_operations.end());
  return *found;
}
inline std::size_t row_named(std::string_view name) {
  return static_cast<std::size_t>(&operation_named(name) - s3_operations.data());
}

} // namespace cairn::net
