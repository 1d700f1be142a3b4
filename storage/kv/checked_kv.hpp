// An engine whose rows carry checksums, over one whose rows may rot: what was not written is never answered. A row that
// fails its checksum is `corrupt`, and so is a look for a row that ends beside a damaged one (it could be the row that
// was looked for). Damage is reported to `kv_damage` and ends the transaction's reads; other rows can still be read.
//
// Local to a node's files: the bytes that users of the engine see have no checksum in them.
//
//   a row's value in the engine below: value, version:u8 = 1, CRC32C:u32 of table:u8, key bytes:u16, key, value,
//   version extra table "checked" of one row, "rows" → version:u8 = 1, done:u32 (a bit a table), table:u8, key:string
//
// The row says which rows have a checksum: those of the tables that are done, and those of `table` below `key`. All
// bits: every table, also one that a later build adds. A directory of an older build begins with none; small tables
// (the ones that say what the directory is: an older build refuses it from then on) are converted when it is opened,
// then as many rows as rows_at_open allows, then some with each commit. Each step is one transaction.
#pragma once

#include "storage/kv/kv.hpp"
#include "storage/kv/kv_damage.hpp"

namespace cairn::storage {

constexpr std::string_view checked_kv_table = "checked"; // the engine below has it behind the others
constexpr table_id checked_kv_tables_max = 31;

struct checked_kv_options {
  table_id tables = 1; // without the extra one
  std::shared_ptr<kv_damage> damage;
  std::size_t rows_at_open = 200'000;  // that are converted when it is opened
  std::size_t rows_a_commit = 256;     // later
  std::size_t bytes_a_step = 4u << 20; // about
  bool reads_only = false;             // nothing is converted
  bool opens_damaged = false;          // lmdb_options
};

// Errors: corrupt, those of the engine below.
result<std::unique_ptr<kv_engine>> make_checked_kv(std::unique_ptr<kv_engine> engine, checked_kv_options options);

} // namespace cairn::storage
