// The version byte that each row begins with (notation: rows.cpp).
#pragma once

#include "base/codec.hpp"
#include "base/error.hpp"

#include <optional>
#include <string>

namespace cairn::storage::metadata {

constexpr std::uint8_t row_version = 1; // of rows that have not grown since

inline error bad_row(const char* what) {
  return {errc::corrupt, std::string{what} + " row does not follow its grammar"};
}

// Nothing, or why these bytes can't be read at all. `longer`: a version that has more fields behind the same.
inline std::optional<error> check_version(byte_reader& r, const char* what, std::uint8_t longer = row_version) {
  const std::uint8_t version = r.u8();
  if (r.ok() && version > longer)
    return error{errc::unsupported, std::string{what} + " row of version " + std::to_string(version)};
  if (version != row_version && version != longer) return bad_row(what);
  return std::nullopt;
}

} // namespace cairn::storage::metadata
