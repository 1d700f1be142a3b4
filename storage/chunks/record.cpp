#include "storage/chunks/record.hpp"

#include "base/checksum.hpp"
#include "storage/chunks/byte_order.hpp"

#include <algorithm>
#include <cstring>

namespace cairn::storage {

namespace {

constexpr char record_magic[] = {'C', 'A', 'I', 'R', 'N', 'R', 'E', 'C'};
constexpr std::uint8_t record_version = 1;
constexpr std::size_t record_version_at = 8, index_at = 12, session_at = 16, number_at = 24, length_at = 32,
                      record_segment_at = 40, offset_at = 48, checksums_at = 56,
                      record_mac_at = page_bytes - sizeof(mac_tag);
static_assert(checksums_at + 4 * record_blocks_max <= record_mac_at);

mac_tag mac_of(const std::byte* page, const mac_key& key, std::uint32_t length) noexcept {
  const bytes_view covered{page, checksums_at + std::size_t{4} * block_count(length)};
  return keyed_mac(key, std::span{&covered, 1});
}

} // namespace

std::string to_string(const record_place& place) {
  return "segment " + std::to_string(place.segment) + " offset " + std::to_string(place.offset);
}

std::uint32_t record_header::block_crc(std::uint32_t block) const noexcept {
  return load_le<std::uint32_t>(checksums_ + std::size_t{4} * block);
}

void encode_record_header(page_span page, const mac_key& key, const record_place& place, const chunk_id& id,
                          bytes_view payload) {
  CAIRN_ASSERT(!payload.empty() && payload.size() <= chunk_bytes_max);
  auto* at = page.data();
  const auto length = static_cast<std::uint32_t>(payload.size());
  std::memset(at, 0, page.size());
  std::memcpy(at, record_magic, sizeof record_magic);
  at[record_version_at] = std::byte{record_version};
  store_le(at + index_at, id.index);
  store_le(at + session_at, id.blob.session);
  store_le(at + number_at, id.blob.number);
  store_le(at + length_at, length);
  store_le(at + record_segment_at, place.segment);
  store_le(at + offset_at, place.offset);
  for (std::uint32_t block = 0; block < block_count(length); ++block) {
    const auto from = block * std::size_t{block_size_bytes};
    const auto bytes = payload.subspan(from, std::min<std::size_t>(block_size_bytes, payload.size() - from));
    store_le(at + checksums_at + std::size_t{4} * block, crc32c(bytes));
  }
  const auto tag = mac_of(at, key, length);
  std::memcpy(at + record_mac_at, tag.data(), tag.size());
}

bool looks_like_record(page_view page) noexcept {
  return std::memcmp(page.data(), record_magic, sizeof record_magic) == 0;
}

result<record_header> decode_record_header(page_view page, const mac_key& key, const record_place& place) {
  const auto* at = page.data();
  if (!looks_like_record(page)) return error{errc::corrupt, "header magic"};
  if (at[record_version_at] != std::byte{record_version}) return error{errc::corrupt, "header version"};
  record_header header;
  header.length_ = load_le<std::uint32_t>(at + length_at);
  if (header.length_ == 0 || header.length_ > chunk_bytes_max) return error{errc::corrupt, "header length"};
  const auto tag = mac_of(at, key, header.length_);
  if (std::memcmp(at + record_mac_at, tag.data(), tag.size()) != 0) return error{errc::corrupt, "header checksum"};
  if (load_le<std::uint64_t>(at + record_segment_at) != place.segment ||
      load_le<std::uint64_t>(at + offset_at) != place.offset)
    return error{errc::corrupt, "header place"};
  header.id_.blob.session = load_le<std::uint64_t>(at + session_at);
  header.id_.blob.number = load_le<std::uint64_t>(at + number_at);
  header.id_.index = load_le<std::uint32_t>(at + index_at);
  header.checksums_ = at + checksums_at;
  return header;
}

result<void> verify_blocks(const record_header& header, std::uint32_t first_block, bytes_view payload,
                           bytes_view rest) {
  const auto end = std::uint64_t{first_block} * block_size_bytes + payload.size() + rest.size();
  CAIRN_ASSERT(end <= header.length() && rest.size() < block_size_bytes);
  CAIRN_ASSERT(end % block_size_bytes == 0 || end == header.length());
  for (auto block = first_block; !payload.empty(); ++block) {
    const auto bytes = std::min<std::size_t>(block_size_bytes, payload.size());
    auto sum = crc32c(payload.first(bytes));
    payload = payload.subspan(bytes);
    if (payload.empty()) sum = crc32c(rest, sum);
    if (sum != header.block_crc(block)) return error{errc::corrupt, "checksum of block " + std::to_string(block)};
  }
  return {};
}

} // namespace cairn::storage
