// The bytes of the rows that storage/kv/checked_kv.hpp describes: wrapped in their version and checksum, and how a
// value is divided into two rows. Plain functions.
#pragma once

#include "storage/kv/kv.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cairn::storage::checked_rows {

// A stored row's value with its version byte, and its checksum.
struct stored_row {
  std::string_view versioned;
  std::uint32_t sum = 0;

  bool is_begin() const; // of a value whose end has a row of its own
  std::string_view value() const { return versioned.substr(0, versioned.size() - 1); }
};

// Not verified. nullopt: too short.
std::optional<stored_row> parse(std::string_view stored);
// The value of a whole row; nullopt: it is damaged, or the begin of a value.
std::optional<std::string_view> unwrapped(table_id table, std::string_view key, std::string_view stored);
// The value in two rows, stored in `joined`; nullopt: damaged, or the end of another value.
std::optional<std::string_view> join_rows(table_id table, std::string_view key, const stored_row& begin,
                                          std::string_view end, std::string& joined);

// `out` becomes the row of a whole value; the row of the first `begin` bytes of one.
void wrap(std::string& out, table_id table, std::string_view key, std::string_view value);
void wrap_begin(std::string& out, table_id table, std::string_view key, std::string_view value, std::size_t begin);

// How many bytes of a value its own row has, if its table divides values: all, or those that fill its pages.
std::size_t begin_bytes(std::string_view key, std::size_t value_bytes);
std::string end_key(table_id table, std::string_view key);

} // namespace cairn::storage::checked_rows
