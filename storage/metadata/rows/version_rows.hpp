// Versions of objects: how they are told to clients, and the row that leads from a key to those that are not live.
// Encodings (grammar: version_rows.cpp) carry a version byte; errors as in rows.hpp.
#pragma once

#include "storage/metadata/rows/rows.hpp"

#include <compare>
#include <optional>

namespace cairn::storage::metadata {

// bucket_row::versioning. A bucket never goes back to `never`.
namespace versioning {
constexpr std::uint8_t never = 0, enabled = 1, suspended = 2;
} // namespace versioning

// Where a version stands in the history: the log index of its commit, the command's position in that entry.
struct version_place {
  log_index version = 0;
  std::uint32_t ordinal = 0;
  friend auto operator<=>(const version_place&, const version_place&) = default;
};
inline version_place place_of(const object_row& row) {
  return {row.version, row.ordinal};
}

// What a client names: a version by its place, or the null version, of which an object has at most one: it was written
// while its bucket was not versioned, or suspended.
struct version_id {
  std::optional<version_place> place; // nothing: the null version
  friend bool operator==(const version_id&, const version_id&) = default;
};
inline version_id id_of(const object_row& row) {
  return row.null_version ? version_id{} : version_id{place_of(row)};
}
std::string to_string(const version_id& id); // "null", or 24 hexadecimal digits
std::optional<version_id> parse_version_id(std::string_view text);

// Of a key that has versions which are not live: all but the newest, or all when that is a delete marker.
struct name_row {
  std::uint64_t row_id = 0;
  std::optional<version_place> null; // where the null version is among them
};
std::string encode(const name_row& row);
result<name_row> decode_name(std::string_view bytes);

void write_version_id(byte_writer& w, const version_id& id);
version_id read_version_id(byte_reader& r);

} // namespace cairn::storage::metadata
