// A record is a chunk on disk: a 4 KiB header page and the payload, padded with zeros to 4 KiB. The header has the
// chunk id, a CRC32C of each 64 KiB block of the payload, the record's place, and a checksum of all these, keyed with
// the disk's secret. So user data cannot be mistaken for a record, nor a record for one at another place.
//
// Header page (integers little-endian):
//    0  8  magic "CAIRNREC"
//    8  1  version (1)
//    9  3  zero
//   12  4  chunk index
//   16  8  blob session
//   24  8  blob number
//   32  4  payload length, 1 to 16 MiB
//   36  4  zero
//   40  8  segment
//   48  8  offset of this page in the segment
//   56  4n CRC32C of each block, n = ceil(length / 64 KiB) ≤ 256
//   …      zero
// 4080 16  SipHash-2-4-128 of bytes [0, 56 + 4n), keyed with the disk's secret
#pragma once

#include "base/digest.hpp"
#include "base/ids.hpp"

namespace cairn::storage {

constexpr std::size_t page_bytes = 4096; // unit of alignment on disk
constexpr std::uint32_t chunk_bytes_max = 16u << 20;
constexpr std::size_t record_header_bytes = page_bytes;
constexpr std::size_t record_blocks_max = chunk_bytes_max / block_size_bytes;

using page_view = std::span<const std::byte, page_bytes>;
using page_span = std::span<std::byte, page_bytes>;

struct record_place {
  std::uint64_t segment = 0, offset = 0; // of the header page
  friend auto operator<=>(const record_place&, const record_place&) = default;
};

struct chunk_location {
  record_place place;
  std::uint32_t length = 0; // payload bytes
  friend bool operator==(const chunk_location&, const chunk_location&) = default;
};

std::string to_string(const record_place& place); // "segment 3 offset 8192"

constexpr std::uint64_t round_up(std::uint64_t bytes, std::uint64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}
constexpr std::uint64_t record_bytes(std::uint32_t payload) {
  return record_header_bytes + round_up(payload, page_bytes);
}
// Blocks of a payload; the last may be shorter than 64 KiB.
constexpr std::uint32_t block_count(std::uint32_t payload) {
  return static_cast<std::uint32_t>(round_up(payload, block_size_bytes) / block_size_bytes);
}

// A verified header. Refers to the page it was decoded from.
class record_header {
public:
  const chunk_id& id() const noexcept { return id_; }
  std::uint32_t length() const noexcept { return length_; }
  std::uint32_t block_crc(std::uint32_t block) const noexcept; // block < block_count(length())

private:
  friend result<record_header> decode_record_header(page_view, const mac_key&, const record_place&);
  chunk_id id_;
  std::uint32_t length_ = 0;
  const std::byte* checksums_ = nullptr;
};

// Fills the whole page. The payload is 1 to chunk_bytes_max bytes.
void encode_record_header(page_span page, const mac_key& key, const record_place& place, const chunk_id& id,
                          bytes_view payload);
// corrupt, with the reason: "header magic", "header version", "header length", "header place", "header checksum".
result<record_header> decode_record_header(page_view page, const mac_key& key, const record_place& place);
// Whether the page begins with the magic. Not a verification.
bool looks_like_record(page_view page) noexcept;

// Verifies whole blocks from `first_block` on. `payload` begins at that block; `rest` completes its last block, so that
// together they end at the end of a block or of the chunk. Error: corrupt.
result<void> verify_blocks(const record_header& header, std::uint32_t first_block, bytes_view payload,
                           bytes_view rest = {});

} // namespace cairn::storage
