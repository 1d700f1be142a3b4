// Versions of objects: their ids for clients, and the row that leads from a key to its versions that are not live.
// Encodings of rows (grammar: version_rows.cpp) have a version byte; errors as in rows.hpp.
#pragma once

#include "storage/metadata/rows/rows.hpp"

#include <compare>
#include <optional>

namespace cairn::storage::metadata {

// bucket_row::versioning. A bucket never goes back to `never`.
namespace versioning {
constexpr std::uint8_t never = 0, enabled = 1, suspended = 2;
} // namespace versioning

// The place of a version in the history: the log index of its commit and the command's position in that entry.
struct version_place {
  log_index version = 0;
  std::uint32_t ordinal = 0;
  friend auto operator<=>(const version_place&, const version_place&) = default;
};
inline version_place place_of(const object_row& row) {
  return {row.version, row.ordinal};
}

// The id of a version for clients: its place, or "null". An object has at most one null version, which was written
// while versioning of its bucket was not enabled or was suspended.
struct version_id {
  std::optional<version_place> place; // nullopt: the null version
  friend bool operator==(const version_id&, const version_id&) = default;
};
inline version_id id_of(const object_row& row) {
  return row.null_version ? version_id{} : version_id{place_of(row)};
}
std::string to_string(const version_id& id); // "null", or 24 hexadecimal digits
std::optional<version_id> parse_version_id(std::string_view text);

// The row of a key that has versions that are not live: all except the newest, or all if the newest is a delete marker.
struct name_row {
  std::uint64_t row_id = 0;
  std::optional<version_place> null; // the place of the null version, if it is one of these
};
std::string encode(const name_row& row);
result<name_row> decode_name(std::string_view bytes);

void write_version_id(byte_writer& w, const version_id& id);
version_id read_version_id(byte_reader& r);

} // namespace cairn::storage::metadata
