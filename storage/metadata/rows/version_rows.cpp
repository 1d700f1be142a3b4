// Encodings about versions (notation: rows.cpp).
//
//   name_row    1 row_id:v null:u8 [version:v ordinal:v]      null: 1 if version and ordinal follow
//   version_id  0 | 1 version:v ordinal:v                     0: the null version
#include "storage/metadata/rows/version_rows.hpp"

#include "storage/metadata/rows/row_version.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::size_t version_digits = 16, ordinal_digits = 8;

} // namespace

std::string to_string(const version_id& id) {
  if (!id.place) return "null";
  return hex_of(id.place->version, version_digits) + hex_of(id.place->ordinal, ordinal_digits);
}

std::optional<version_id> parse_version_id(std::string_view text) {
  if (text == "null") return version_id{};
  if (text.size() != version_digits + ordinal_digits || !is_hex(text)) return std::nullopt;
  const auto version = read_hex(text.substr(0, version_digits)), ordinal = read_hex(text.substr(version_digits));
  if (!version || !ordinal) return std::nullopt;
  return version_id{version_place{*version, static_cast<std::uint32_t>(*ordinal)}};
}

void write_version_id(byte_writer& w, const version_id& id) {
  w.boolean(id.place.has_value());
  if (id.place) w.varint(id.place->version).varint(id.place->ordinal);
}

version_id read_version_id(byte_reader& r) {
  version_id id;
  if (!r.boolean()) return id;
  id.place.emplace();
  id.place->version = r.varint();
  id.place->ordinal = r.varint32();
  return id;
}

std::string encode(const name_row& row) {
  byte_writer w{32};
  w.u8(row_version).varint(row.row_id);
  write_version_id(w, {row.null});
  return w.take();
}

result<name_row> decode_name(std::string_view bytes) {
  byte_reader r{bytes};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > row_version)
    return error{errc::unsupported, "name row of version " + std::to_string(version)};
  if (version != row_version) r.fail();
  name_row row;
  row.row_id = r.varint();
  row.null = read_version_id(r).place;
  if (!r.finished()) return error{errc::corrupt, "name row does not follow its grammar"};
  return row;
}

} // namespace cairn::storage::metadata
