// The tables of a disk's index: rows as plain values, and the encoding of keys and values. Keys are big-endian, values
// little-endian.
//
//   chunks    partition 2, blob session 8, blob number 8, chunk index 4 → segment 8, offset 8, payload length 4
//   to_punch  generation 8, segment 8, offset 8                       → record bytes 8
//   segments  segment 8 → state 1 (0 active, 1 sealed), data end 8, live bytes 8, live chunks 8, to_punch rows 8
//   tail      segment 8, offset 8 → blob session 8, blob number 8, chunk index 4, payload length 4
//   about     "disk" → version 1, disk UUID 16;  "next_segment" → segment 8
//
// `tail` lists the records of unsealed segments, including deleted ones, and some of sealed ones, whose footers have
// them and whose rows here are about to be removed. The generation of a to_punch row says which running reads may still
// use the space (storage/chunks/read_pins.hpp). A malformed row is `corrupt`; the errors of the kv engine come from
// commit() and status().
#pragma once

#include "storage/chunks/chunk_store.hpp"
#include "storage/chunks/segment.hpp"

#include <limits>

namespace cairn::storage::chunk_index {

enum table : table_id { chunks, to_punch, segments, tail, about, count_ };
static_assert(count_ == chunk_index_tables);

// not_found: the index does not have the chunk.
result<chunk_location> find(kv_reader& reader, const chunk_id& id);
void put(kv_writer& writer, const chunk_id& id, const chunk_location& location);
bool erase(kv_writer& writer, const chunk_id& id);
std::string chunk_key(const chunk_id& id);
result<segment_entry> decode_chunk(const kv_pair& row);

struct punch_row {
  std::uint64_t generation = 0;
  record_place place;
  std::uint64_t bytes = 0;
};
void put(kv_writer& writer, const punch_row& row);
void erase(kv_writer& writer, const punch_row& row);
// Rows of generations ≤ `newest`, oldest first: at most `max`, none behind the one with which they have `bytes_max`
// bytes.
result<std::vector<punch_row>> punch_rows(kv_reader& reader, std::uint64_t newest, std::size_t max,
                                          std::uint64_t bytes_max = ~std::uint64_t{0});
// The newest generation that has a row, 0 when there is none. Logarithmic.
result<std::uint64_t> newest_generation(kv_reader& reader);

struct segment_row {
  bool sealed = false;
  std::uint64_t data_end = 0;   // offset after the last acknowledged record
  std::uint64_t live_bytes = 0; // record bytes of the chunks that the index names
  std::uint64_t live_chunks = 0;
  std::uint64_t to_punch = 0; // rows
};
void put(kv_writer& writer, std::uint64_t segment, const segment_row& row);
void erase_segment(kv_writer& writer, std::uint64_t segment);
result<std::vector<std::pair<std::uint64_t, segment_row>>> all_segments(kv_reader& reader);

void put_tail(kv_writer& writer, const segment_entry& entry);
void erase_tail(kv_writer& writer, std::span<const segment_entry> entries);
// Its first rows, at most `max`.
result<std::vector<segment_entry>> tail_of(kv_reader& reader, std::uint64_t segment,
                                           std::size_t max = std::numeric_limits<std::size_t>::max());
// The first segment ≥ `from` that has tail rows.
result<std::optional<std::uint64_t>> next_tail(kv_reader& reader, std::uint64_t from);

// nullopt: the index is new.
result<std::optional<uuid>> owner(kv_reader& reader);
void put_owner(kv_writer& writer, const uuid& disk);
result<std::uint64_t> next_segment(kv_reader& reader); // 1 in a new index
void put_next_segment(kv_writer& writer, std::uint64_t segment);

} // namespace cairn::storage::chunk_index
