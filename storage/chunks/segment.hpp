// A segment file has consecutive records from offset 0. An active segment is preallocated; bytes after its last record
// have no meaning. A sealed segment ends in a footer that lists its records, so that a lost index can be rebuilt
// without reading payloads. Punched records leave holes and stay in the footer, so a record that a footer lists must be
// verified by its header.
//
// Footer (integers little-endian): table, padded with zeros to 4 KiB, then the trailer, the file's last 4 KiB.
//   table entry, 32 bytes: offset 8, blob session 8, blob number 8, chunk index 4, payload length 4
//   trailer:    0  8  magic "CAIRNSEG"
//               8  1  version (1), then 7 zero
//              16  8  segment
//              24  8  offset of the table
//              32  8  entries in the table
//              …      zero
//            4080 16  SipHash-2-4-128 of trailer bytes [0, 40) and the table's entries, keyed with the disk's secret
#pragma once

#include "storage/chunks/record.hpp"

#include <functional>
#include <optional>

namespace cairn::storage {

struct segment_entry {
  chunk_id id;
  chunk_location location;
};

std::string segment_file_name(std::uint64_t segment); // "00000000000000a1.seg"
std::optional<std::uint64_t> parse_segment_file_name(std::string_view name);

constexpr std::size_t segment_entry_bytes = 32;
// Size of a footer with so many records, at the end of the file.
constexpr std::uint64_t footer_bytes(std::uint64_t records) {
  return round_up(records * segment_entry_bytes, page_bytes) + page_bytes;
}

// Writes the footer after the data, truncates the file after it and flushes the file. May be repeated. `data_end` is
// page-aligned.
result<void> seal_segment_file(file& segment_file, const mac_key& key, std::uint64_t segment, std::uint64_t data_end,
                               std::span<const segment_entry> entries);

struct segment_footer {
  std::vector<segment_entry> entries;
  std::uint64_t data_end = 0;
};
// Errors: not_found (the file does not end in a trailer), corrupt (the footer fails its checksum), io_error.
result<segment_footer> read_footer(file& segment_file, const mac_key& key, std::uint64_t segment);

// Finds records without index or footer: tries every page up to the end of the file, and skips the payloads of intact
// records. `found` is called for each record; `blocks_good`: all blocks are intact. It returns false to stop the scan.
// Error: io_error.
result<void> scan_segment_file(file& segment_file, const mac_key& key, std::uint64_t segment,
                               const std::function<bool(const segment_entry&, bool blocks_good)>& found);

result<bool> holds_records(file& segment_file, const mac_key& key, std::uint64_t segment); // scans to the first record

// Verifies a record's header and, with `deep`, its payload. Blocking; for checks, not for serving. Errors: not_found (a
// hole: the record was punched), corrupt (also if the header has another chunk id or length), io_error.
result<void> verify_record(file& segment_file, const mac_key& key, const segment_entry& expected, bool deep);

} // namespace cairn::storage
