// Multipart uploads that were begun and neither completed nor aborted: the row of an upload and those of its parts.
// Encodings (grammar: upload_rows.cpp) carry a version byte; errors as in rows.hpp.
#pragma once

#include "storage/metadata/rows/rows.hpp"

namespace cairn::storage::metadata {

using upload_id = std::uint64_t; // from the same counter as manifests: never reused

constexpr std::uint32_t part_number_max = 10'000;
constexpr std::uint64_t part_bytes_min = 5 << 20; // of every part but the last

// What the client wants as checksum of the object: one over all bytes, or one over the checksums of the parts.
enum class checksum_type : std::uint8_t { none, composite, full_object };

struct upload_row {
  upload_id id = 0;
  std::uint64_t nonce = 0; // random: with the id what clients are told, so that no id of another history fits
  bucket_id bucket = 0;
  std::string key;
  wall_ms begun = 0;
  object_headers headers;
  object_extras extras;
  std::string checksum; // "crc32": the algorithm of the parts' checksums; empty: none was chosen
  checksum_type type = checksum_type::none;
  bool by_anybody = false; // begun without a right of its own, the bucket being public: only such uploads are anybody's
};

// A stretch of a blob. A part that was uploaded is one; a part that was copied shares those of its source.
struct part_piece {
  blob_id blob;
  std::uint64_t blob_offset = 0, length = 0;
  std::uint32_t chunk_size = 0;
};
constexpr std::size_t part_pieces_max = 1100; // 5 GiB of the smallest parts, and some

struct uploaded_part {
  std::uint32_t number = 1;
  std::uint64_t length = 0;
  md5_digest digest{}; // of the bytes, or what stands for it after copying a range
  wall_ms modified = 0;
  std::string checksum_name, checksum; // "crc32" and its base64; empty: none
  std::vector<part_piece> pieces;      // none for a part without bytes
};

std::string encode(const upload_row& row);
std::string encode(const uploaded_part& part);
result<upload_row> decode_upload(std::string_view bytes);
result<uploaded_part> decode_uploaded_part(std::string_view bytes);

} // namespace cairn::storage::metadata
