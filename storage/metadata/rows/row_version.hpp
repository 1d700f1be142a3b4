// The version byte at the beginning of each row (notation: rows.cpp).
#pragma once

#include "base/codec.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>

namespace cairn::storage::metadata {

constexpr std::uint8_t row_version = 1; // of rows without later fields

inline error bad_row(const char* what) {
  return {errc::corrupt, std::string{what} + " row does not follow its grammar"};
}

// nullopt if the version is row_version or one of `later` (those that have further fields); else unsupported or
// corrupt.
inline std::optional<error> check_version(byte_reader& r, const char* what,
                                          std::initializer_list<std::uint8_t> later = {}) {
  const std::uint8_t version = r.u8();
  const bool is_newer =
      version > row_version &&
      std::none_of(later.begin(), later.end(), [version](std::uint8_t known) { return known >= version; });
  if (r.ok() && is_newer)
    return error{errc::unsupported, std::string{what} + " row of version " + std::to_string(version)};
  if (version != row_version && std::find(later.begin(), later.end(), version) == later.end()) return bad_row(what);
  return std::nullopt;
}

} // namespace cairn::storage::metadata
