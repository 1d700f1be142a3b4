// A kv engine that adds a checksum to each row of the engine below, so that a damaged row is never returned. A row that
// fails its checksum is `corrupt`. A lookup that finds no row is also `corrupt` if a row next to the place is damaged,
// because that row may be the one that was looked for. Damage is reported to `kv_damage` and fails the transaction; a
// new transaction can still read other rows.
//
// The checksums are internal to this layer: users of the engine see values without them.
//
//   rows of the engine below:
//     key → value, version:u8 = 1, CRC32C:u32 of (table:u8, key bytes:u16, key, value, version)
//     key → begin of the value, version:u8 = 2, CRC32C:u32 of the same, with the whole value
//   rows of the extra table "checked":
//     "rows" → version:u8 = 2, done:u32 (one bit per table), table:u8, key:string
//     "end" table:u8 key → end of the value, version:u8 = 1, CRC32C:u32 as above
//     In their checksums `table` is the number of the other tables, at most 20: so many had the largest engine when
//     this format was made, and tables that a later build adds must not change it.
//
// LMDB stores a value of more than half a page in pages of its own, behind 16 bytes of header. 4 KiB, the most usual
// size of a small object, would take two pages, and the second would be empty. So in the table `page_values` a value
// that is a little larger than whole pages is stored without its end, which has a row of its own.
//
// The row "rows" says which rows have a checksum: all rows of the tables whose bit is set, and the rows of `table`
// below `key`. If all bits are set, this includes tables that a later build adds. A directory of an older build begins
// without checksums. When it is opened, small tables are converted first (from then on an older build refuses the
// directory, because the row with its format has changed), then up to rows_at_open rows; each later commit converts
// some more. Each step is one transaction. "rows" of version 1 becomes version 2 when the directory is opened: builds
// that do not know values in two rows refuse it.
#pragma once

#include "storage/kv/kv.hpp"
#include "storage/kv/kv_damage.hpp"

namespace cairn::storage {

constexpr std::string_view checked_kv_table = "checked"; // the last table of the engine below
constexpr table_id checked_kv_tables_max = 31, checked_kv_number_max = 20;
constexpr std::size_t kv_page_bytes = 4096, kv_value_end_max = 256; // values in two rows: the largest end

struct checked_kv_options {
  table_id tables = 1;                 // without the extra table
  std::optional<table_id> page_values; // see above; nullopt: writes no value in two rows
  std::shared_ptr<kv_damage> damage;
  std::size_t rows_at_open = 200'000;    // rows converted when the directory is opened
  std::size_t rows_per_commit = 256;     // rows converted by each later commit
  std::size_t bytes_per_step = 4u << 20; // approximate bound of a step
  bool reads_only = false;               // converts nothing
  bool opens_damaged = false;            // see lmdb_options
};

// Errors: corrupt, unsupported (rows of a newer version), and those of the engine below.
result<std::unique_ptr<kv_engine>> make_checked_kv(std::unique_ptr<kv_engine> engine, checked_kv_options options);

} // namespace cairn::storage
