// The version byte at the beginning of each row (notation: rows.cpp).
#pragma once

#include "base/codec.hpp"
#include "base/error.hpp"

#include <optional>
#include <string>

namespace cairn::storage::metadata {

constexpr std::uint8_t row_version = 1; // of rows without later fields

inline error bad_row(const char* what) {
  return {errc::corrupt, std::string{what} + " row does not follow its grammar"};
}

// nullopt if the version is row_version or `longer` (the version that has further fields at the end); else unsupported
// or corrupt.
inline std::optional<error> check_version(byte_reader& r, const char* what, std::uint8_t longer = row_version) {
  const std::uint8_t version = r.u8();
  if (r.ok() && version > longer)
    return error{errc::unsupported, std::string{what} + " row of version " + std::to_string(version)};
  if (version != row_version && version != longer) return bad_row(what);
  return std::nullopt;
}

} // namespace cairn::storage::metadata
