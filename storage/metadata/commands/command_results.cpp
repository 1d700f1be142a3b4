// Encoding of the results of commands (notation: rows.cpp).
//
//   command_result  1 refused:u8 [code:u8 text:s] version:v more:v
#include "storage/metadata/commands/commands.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t result_version = 1;
// Stored results have the numbers of error codes.
static_assert(static_cast<int>(errc::invalid_argument) == 1 && static_cast<int>(errc::blob_dead) == 17);

} // namespace

// Bits: 1 there is a version, 2 it is a delete marker, 4 it is the null version; the ordinal is in the bits above.
std::uint64_t encode_version_outcome(const object_row& row, bool versioned) {
  if (!versioned) return 0;
  const std::uint64_t marker = row.content == content_kind::delete_marker ? 2 : 0, null = row.null_version ? 4 : 0;
  return 1 | marker | null | std::uint64_t{row.ordinal} << 3;
}

version_outcome version_outcome_of(const command_result& r) {
  version_outcome t;
  if ((r.more & 1) == 0) return t;
  t.delete_marker = (r.more & 2) != 0;
  t.id.emplace();
  if ((r.more & 4) == 0) t.id->place = version_place{r.version, static_cast<std::uint32_t>(r.more >> 3)};
  return t;
}

std::string encode(const command_result& result) {
  byte_writer w{32};
  w.u8(result_version).boolean(result.refused.has_value());
  if (result.refused) w.u8(static_cast<std::uint8_t>(result.refused->code)).string(result.refused->text);
  return w.varint(result.version).varint(result.more).take();
}

result<command_result> decode_result(std::string_view bytes) {
  byte_reader r{bytes};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > result_version)
    return error{errc::unsupported, "result row of version " + std::to_string(version)};
  if (version != result_version) r.fail();
  command_result decoded;
  if (r.boolean()) {
    const std::uint8_t code = r.u8();
    if (code == 0 || to_string(static_cast<errc>(code)) == "unknown") r.fail();
    decoded.refused = error{static_cast<errc>(code), std::string{r.string()}};
  }
  decoded.version = r.varint();
  decoded.more = r.varint();
  if (!r.finished()) return error{errc::corrupt, "result row does not follow its grammar"};
  return decoded;
}

} // namespace cairn::storage::metadata
