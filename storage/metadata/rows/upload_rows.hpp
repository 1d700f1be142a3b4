// Multipart uploads that are neither completed nor aborted: the row of an upload and the rows of its parts. Encodings
// (grammar: upload_rows.cpp) have a version byte; errors as in rows.hpp.
#pragma once

#include "storage/metadata/rows/rows.hpp"

namespace cairn::storage::metadata {

constexpr std::uint32_t part_number_max = 10'000;
constexpr std::uint64_t part_bytes_min = 5 << 20; // of every part except the last

// The checksum of the object that the client chose: of all bytes (full_object), or of the parts' checksums (composite).
enum class checksum_type : std::uint8_t { none, composite, full_object };

struct upload_row {
  upload_id id = 0;
  std::uint64_t nonce = 0; // random; clients get id and nonce, so that an id from a lost history does not match
  bucket_id bucket = 0;
  std::string key;
  wall_ms begun = 0;
  object_headers headers;
  object_extras extras;
  std::string checksum; // algorithm of the parts' checksums, such as "crc32"; empty: not chosen
  checksum_type type = checksum_type::none;
  bool by_anybody = false; // begun because the bucket is public: other anonymous requests may continue it
};

// A range of a blob. An uploaded part has one piece; a copied part shares pieces of its source.
struct part_piece {
  blob_id blob;
  std::uint64_t blob_offset = 0, length = 0;
  std::uint32_t chunk_size = 0;
};
constexpr std::size_t part_pieces_max = 1100; // enough for 5 GiB of the smallest parts

struct uploaded_part {
  std::uint32_t number = 1;
  std::uint64_t length = 0;
  md5_digest digest{}; // MD5 of the bytes; for a copied range an opaque value
  wall_ms modified = 0;
  std::string checksum_name, checksum; // "crc32" and its base64; empty: none
  std::vector<part_piece> pieces;      // empty for a part without bytes
};

std::string encode(const upload_row& row);
std::string encode(const uploaded_part& part);
result<upload_row> decode_upload(std::string_view bytes);
result<uploaded_part> decode_uploaded_part(std::string_view bytes);

} // namespace cairn::storage::metadata
