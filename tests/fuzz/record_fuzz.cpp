// The decoders of what lies in segment files. The fuzzer can't forge the keyed checksums, so the input is tried as it
// is and once more with a valid checksum put in, which leads behind it: headers with any fields, and whole segments
// with footers.
#include "base/files/memory_file_system.hpp"
#include "storage/chunks/byte_order.hpp"
#include "storage/chunks/segment.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace {

using namespace cairn;
using namespace cairn::storage;

constexpr mac_key key{7};
constexpr record_place place{1, 0};

void decode_header(page_view page) {
  const auto header = decode_record_header(page, key, place);
  if (!header) return;
  CAIRN_ASSERT(header->length() >= 1 && header->length() <= chunk_bytes_max);
  for (std::uint32_t block = 0; block < block_count(header->length()); ++block)
    static_cast<void>(header->block_crc(block));
}

void sign_header(page_span page) {
  const auto length = load_le<std::uint32_t>(page.data() + 32);
  if (length == 0 || length > chunk_bytes_max) return;
  const bytes_view covered{page.data(), 56 + std::size_t{4} * block_count(length)};
  const auto tag = keyed_mac(key, std::span{&covered, 1});
  std::memcpy(page.data() + page_bytes - tag.size(), tag.data(), tag.size());
}

void sign_footer(bytes_span file) {
  auto* trailer = file.data() + file.size() - page_bytes;
  const auto table = load_le<std::uint64_t>(trailer + 24), count = load_le<std::uint64_t>(trailer + 32);
  if (table > file.size() || count > (file.size() - table) / segment_entry_bytes) return;
  const std::array<bytes_view, 2> parts{bytes_view{trailer, 40},
                                        bytes_view{file}.subspan(table, count * segment_entry_bytes)};
  const auto tag = keyed_mac(key, parts);
  std::memcpy(trailer + page_bytes - tag.size(), tag.data(), tag.size());
}

void read_segment(bytes_view content) {
  memory_file_system disk;
  const auto opened = disk.open("/1.seg", open_mode::create);
  CAIRN_ASSERT(opened);
  const auto written = (*opened)->write(0, std::span{&content, 1});
  CAIRN_ASSERT(written);
  const auto footer = read_footer(**opened, key, place.segment);
  if (footer) {
    CAIRN_ASSERT(footer->data_end <= content.size());
    for (const auto& entry : footer->entries) static_cast<void>(verify_record(**opened, key, entry, true));
  }
  const auto scanned = scan_segment_file(**opened, key, place.segment, [&](const segment_entry& entry, bool good) {
    CAIRN_ASSERT(!good || entry.location.place.offset + record_header_bytes + entry.location.length <= content.size());
    return true;
  });
  CAIRN_ASSERT(scanned);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return 0;
  static_cast<void>(parse_segment_file_name({reinterpret_cast<const char*>(data), size}));
  std::vector<std::byte> file(std::max<std::size_t>(page_bytes, round_up(size, page_bytes)));
  if (size > 0) std::memcpy(file.data(), data, size);
  const page_span first{file.data(), page_bytes};
  decode_header(first);
  read_segment(file);
  sign_header(first);
  if (file.size() > page_bytes) sign_footer(file);
  decode_header(first);
  read_segment(file);
  return 0;
}
