#include "storage/chunks/segment.hpp"

#include "base/codec.hpp"
#include "storage/chunks/byte_order.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace cairn::storage {

namespace {

constexpr char segment_magic[] = {'C', 'A', 'I', 'R', 'N', 'S', 'E', 'G'};
constexpr std::uint8_t segment_version = 1;
constexpr std::size_t segment_version_at = 8, segment_number_at = 16, table_at = 24, count_at = 32, covered_bytes = 40,
                      segment_mac_at = page_bytes - sizeof(mac_tag);
constexpr std::string_view suffix = ".seg";
constexpr std::size_t name_digits = 16;

mac_tag mac_of(const std::byte* trailer, const mac_key& key, bytes_view table) noexcept {
  const std::array<bytes_view, 2> parts{bytes_view{trailer, covered_bytes}, table};
  return keyed_mac(key, parts);
}

void encode_entry(std::byte* at, const segment_entry& entry) noexcept {
  store_le(at, entry.location.place.offset);
  store_le(at + 8, entry.id.blob.session);
  store_le(at + 16, entry.id.blob.number);
  store_le(at + 24, entry.id.index);
  store_le(at + 28, entry.location.length);
}

segment_entry decode_entry(const std::byte* at, std::uint64_t segment) noexcept {
  segment_entry entry;
  entry.location = {{segment, load_le<std::uint64_t>(at)}, load_le<std::uint32_t>(at + 28)};
  entry.id = {{load_le<std::uint64_t>(at + 8), load_le<std::uint64_t>(at + 16)}, load_le<std::uint32_t>(at + 24)};
  return entry;
}

result<bool> read_whole(file& from, std::uint64_t offset, bytes_span into) {
  const auto read = from.read(offset, std::span{&into, 1});
  if (!read) return read.error();
  return *read == into.size();
}

} // namespace

std::string segment_file_name(std::uint64_t segment) {
  return hex_of(segment, name_digits).append(suffix);
}

std::optional<std::uint64_t> parse_segment_file_name(std::string_view name) {
  if (name.size() != name_digits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  const auto digits = name.substr(0, name_digits);
  return is_hex(digits) ? read_hex(digits) : std::nullopt;
}

result<void> seal_segment_file(file& segment_file, const mac_key& key, std::uint64_t segment, std::uint64_t data_end,
                               std::span<const segment_entry> entries) {
  CAIRN_ASSERT(data_end % page_bytes == 0);
  std::vector<std::byte> footer(footer_bytes(entries.size()));
  for (std::size_t i = 0; i < entries.size(); ++i) encode_entry(footer.data() + i * segment_entry_bytes, entries[i]);
  auto* trailer = footer.data() + footer.size() - page_bytes;
  std::memcpy(trailer, segment_magic, sizeof segment_magic);
  trailer[segment_version_at] = std::byte{segment_version};
  store_le(trailer + segment_number_at, segment);
  store_le(trailer + table_at, data_end);
  store_le(trailer + count_at, std::uint64_t{entries.size()});
  const auto tag = mac_of(trailer, key, bytes_view{footer}.first(entries.size() * segment_entry_bytes));
  std::memcpy(trailer + segment_mac_at, tag.data(), tag.size());

  const bytes_view view{footer};
  if (auto written = segment_file.write(data_end, std::span{&view, 1}); !written) return written;
  if (auto cut = segment_file.truncate(data_end + footer.size()); !cut) return cut;
  return segment_file.flush();
}

result<segment_footer> read_footer(file& segment_file, const mac_key& key, std::uint64_t segment) {
  const auto size = segment_file.size();
  if (!size) return size.error();
  const error none{errc::not_found, "segment " + std::to_string(segment) + " has no footer"};
  if (*size < page_bytes || *size % page_bytes != 0) return none;
  std::array<std::byte, page_bytes> trailer;
  const auto got_trailer = read_whole(segment_file, *size - page_bytes, trailer);
  if (!got_trailer) return got_trailer.error();
  if (!*got_trailer || std::memcmp(trailer.data(), segment_magic, sizeof segment_magic) != 0) return none;

  const error broken{errc::corrupt, "footer of segment " + std::to_string(segment) + " is damaged"};
  const auto table = load_le<std::uint64_t>(trailer.data() + table_at);
  const auto count = load_le<std::uint64_t>(trailer.data() + count_at);
  if (trailer[segment_version_at] != std::byte{segment_version} ||
      load_le<std::uint64_t>(trailer.data() + segment_number_at) != segment)
    return broken;
  if (count > *size / page_bytes || table > *size || table + footer_bytes(count) != *size) return broken;
  std::vector<std::byte> entries(count * segment_entry_bytes);
  const auto got_table = read_whole(segment_file, table, entries);
  if (!got_table) return got_table.error();
  const auto tag = mac_of(trailer.data(), key, entries);
  if (!*got_table || std::memcmp(trailer.data() + segment_mac_at, tag.data(), tag.size()) != 0) return broken;

  segment_footer footer{{}, table};
  footer.entries.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i)
    footer.entries.push_back(decode_entry(entries.data() + i * segment_entry_bytes, segment));
  return footer;
}

namespace {

// Verifies the payload of a valid header, one block at a time.
result<void> verify_payload(file& segment_file, const record_header& header, std::uint64_t payload_offset) {
  std::vector<std::byte> block(block_size_bytes);
  for (std::uint32_t i = 0; i < block_count(header.length()); ++i) {
    const auto begin = i * block_size_bytes;
    const auto bytes = bytes_span{block}.first(std::min<std::uint64_t>(block_size_bytes, header.length() - begin));
    const auto whole = read_whole(segment_file, payload_offset + begin, bytes);
    if (!whole) return whole.error();
    if (!*whole) return error{errc::corrupt, "payload beyond the end of the file"};
    if (auto good = verify_blocks(header, i, bytes); !good) return good;
  }
  return {};
}

} // namespace

result<void> scan_segment_file(file& segment_file, const mac_key& key, std::uint64_t segment,
                               const std::function<bool(const segment_entry&, bool)>& found) {
  constexpr std::size_t step = 1 << 20;
  std::vector<std::byte> window(step);
  std::uint64_t window_begin = 0, offset = 0;
  std::size_t window_bytes = 0;
  while (true) {
    if (offset < window_begin || offset + page_bytes > window_begin + window_bytes) {
      const bytes_span into{window};
      const auto read = segment_file.read(offset, std::span{&into, 1});
      if (!read) return read.error();
      window_begin = offset;
      window_bytes = *read;
      if (window_bytes < page_bytes) return {};
    }
    const page_view page{window.data() + (offset - window_begin), page_bytes};
    const record_place place{segment, offset};
    offset += page_bytes;
    if (!looks_like_record(page)) continue;
    const auto header = decode_record_header(page, key, place);
    if (!header) continue; // user data or a torn header: the next page may be a record
    const auto payload = verify_payload(segment_file, *header, offset);
    if (!payload && payload.error().code != errc::corrupt) return payload.error();
    if (!found({header->id(), {place, header->length()}}, payload.has_value())) return {};
    if (payload) offset = place.offset + record_bytes(header->length());
  }
}

result<bool> holds_records(file& segment_file, const mac_key& key, std::uint64_t segment) {
  bool any = false;
  const auto scanned = scan_segment_file(segment_file, key, segment, [&any](const segment_entry&, bool) {
    any = true;
    return false;
  });
  if (!scanned) return scanned.error();
  return any;
}

result<void> verify_record(file& segment_file, const mac_key& key, const segment_entry& expected, bool deep) {
  std::array<std::byte, page_bytes> page;
  const auto& place = expected.location.place;
  const auto whole = read_whole(segment_file, place.offset, page);
  if (!whole) return whole.error();
  if (!*whole) return error{errc::corrupt, "header beyond the end of the file"};
  if (std::all_of(page.begin(), page.end(), [](auto b) { return b == std::byte{0}; }))
    return error{errc::not_found, "the record was punched"};
  const auto header = decode_record_header(page, key, place);
  if (!header) return header.error();
  if (header->id() != expected.id || header->length() != expected.location.length)
    return error{errc::corrupt, "header of another chunk"};
  return deep ? verify_payload(segment_file, *header, place.offset + record_header_bytes) : result<void>{};
}

} // namespace cairn::storage
