#include "base/ids.hpp"

#include "base/codec.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace cairn {

std::string to_string(const uuid& id) {
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    out += hex_of(id[i], 2);
  }
  return out;
}

std::optional<uuid> parse_uuid(std::string_view text) {
  uuid id;
  std::size_t filled = 0;
  for (std::size_t at = 0; at < text.size() && filled < id.size();) {
    if (text[at] == '-') {
      ++at;
      continue;
    }
    if (!read_hex(text.substr(at, 2), std::span{&id[filled], 1})) return std::nullopt;
    ++filled;
    at += 2;
  }
  if (filled != id.size() || to_string(id) != text) return std::nullopt;
  return id;
}

std::string to_string(const blob_id& id) {
  return hex_of(id.session, 1) + "-" + hex_of(id.number, 16);
}

std::string to_string(const chunk_id& id) {
  return to_string(id.blob) + "/" + std::to_string(id.index);
}

namespace {

template <class Integer>
std::uint8_t* put_big_endian(std::uint8_t* at, Integer value) noexcept {
  for (int shift = int(sizeof value) * 8 - 8; shift >= 0; shift -= 8) *at++ = static_cast<std::uint8_t>(value >> shift);
  return at;
}

} // namespace

partition_id partition_of(const chunk_id& id) noexcept {
  std::uint8_t key[20];
  put_big_endian(put_big_endian(put_big_endian(key, id.blob.session), id.blob.number), id.index);
  return static_cast<partition_id>(XXH3_64bits(key, sizeof key) % partition_count);
}

} // namespace cairn
