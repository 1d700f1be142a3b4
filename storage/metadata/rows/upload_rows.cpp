// Encodings of uploads (notation: rows.cpp).
//
//   upload_row     1 id:v nonce:u64 bucket:v key:s begun:u64 headers extras checksum:s type:u8
//                  type: + 128 if by_anybody (feature level 8)
//                  2 (the same)                          if the extras have a lock
//                  3 (the same)                          if they have grants
//                  4 (the same)                          if they have an owner
//   uploaded_part  1 number:v length:v digest:16 modified:u64 checksum_name:s checksum:s count:v piece*
//   piece          blob blob_offset:v length:v chunk_size:v
#include "storage/metadata/rows/upload_rows.hpp"

#include "storage/metadata/rows/row_version.hpp"

#include <optional>

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t type_by_anybody = 128;
constexpr std::size_t piece_bytes_min = 19;
constexpr std::uint8_t upload_version_with_lock = 2, upload_version_with_grants = 3, upload_version_with_owner = 4;

std::uint8_t version_of(const upload_row& row) {
  if (!row.extras.owner.empty()) return upload_version_with_owner;
  if (row.extras.grants) return upload_version_with_grants;
  return row.extras.lock.empty() ? row_version : upload_version_with_lock;
}

} // namespace

std::string encode(const upload_row& row) {
  byte_writer w{256};
  w.u8(version_of(row)).varint(row.id).u64(row.nonce).varint(row.bucket).string(row.key);
  w.u64(static_cast<std::uint64_t>(row.begun));
  write_headers(w, row.headers);
  write_extras(w, row.extras);
  const std::uint8_t mark = row.by_anybody ? type_by_anybody : 0;
  return w.string(row.checksum).u8(static_cast<std::uint8_t>(row.type) | mark).take();
}

result<upload_row> decode_upload(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto bad =
          check_version(r, "upload", {upload_version_with_lock, upload_version_with_grants, upload_version_with_owner}))
    return *bad;
  upload_row row;
  row.id = r.varint();
  row.nonce = r.u64();
  row.bucket = r.varint();
  row.key = r.string();
  row.begun = static_cast<wall_ms>(r.u64());
  row.headers = read_headers(r);
  row.extras = read_extras(r);
  row.checksum = r.string();
  const std::uint8_t marked = r.u8(), type = marked & ~type_by_anybody;
  row.by_anybody = marked != type;
  if (type > static_cast<std::uint8_t>(checksum_type::full_object)) r.fail();
  row.type = static_cast<checksum_type>(type);
  if (!bytes.starts_with(static_cast<char>(version_of(row)))) r.fail();
  if (!r.finished()) return error{errc::corrupt, "upload row does not follow its grammar"};
  return row;
}

std::string encode(const uploaded_part& part) {
  byte_writer w{128};
  w.u8(row_version).varint(part.number).varint(part.length).raw(part.digest);
  w.u64(static_cast<std::uint64_t>(part.modified)).string(part.checksum_name).string(part.checksum);
  w.varint(part.pieces.size());
  for (const part_piece& piece : part.pieces) {
    write_blob_id(w, piece.blob);
    w.varint(piece.blob_offset).varint(piece.length).varint(piece.chunk_size);
  }
  return w.take();
}

result<uploaded_part> decode_uploaded_part(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto bad = check_version(r, "uploaded part")) return *bad;
  uploaded_part part;
  part.number = r.varint32();
  part.length = r.varint();
  r.raw(part.digest);
  part.modified = static_cast<wall_ms>(r.u64());
  part.checksum_name = r.string();
  part.checksum = r.string();
  part.pieces.resize(r.count(piece_bytes_min));
  std::uint64_t bytes_of_pieces = 0;
  for (part_piece& piece : part.pieces) {
    piece.blob = read_blob_id(r);
    piece.blob_offset = r.varint();
    piece.length = r.varint();
    piece.chunk_size = r.varint32();
    if (piece.length == 0 || piece.length > ~piece.blob_offset || piece.chunk_size == 0) r.fail();
    if (piece.length > ~bytes_of_pieces) r.fail();
    bytes_of_pieces += piece.length;
  }
  if (bytes_of_pieces != part.length) r.fail();
  if (!r.finished()) return error{errc::corrupt, "uploaded part row does not follow its grammar"};
  return part;
}

} // namespace cairn::storage::metadata
