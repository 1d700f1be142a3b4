#include "storage/chunks/record.hpp"

#include "base/checksum.hpp"
#include "base/codec.hpp"
#include "storage/chunks/byte_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace cairn::storage::record_test {

bytes_view view_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

constexpr mac_key key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr record_place here{3, 8192};
constexpr chunk_id name{{5, 6}, 7};

std::array<std::byte, page_bytes> encoded(bytes_view payload) {
  std::array<std::byte, page_bytes> page;
  encode_record_header(page, key, here, name, payload);
  return page;
}

TEST(checksum, is_the_castagnoli_crc_of_rfc_3720) {
  EXPECT_EQ(crc32c(view_of("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c(view_of("6789"), crc32c(view_of("12345"))), 0xE3069283u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(digest, knows_the_md5_of_rfc_1321_in_pieces) {
  md5 sum;
  sum.update(view_of("message "));
  sum.update(view_of("digest"));
  EXPECT_EQ(hex_of(sum.finish()), "f96b697d7cb7938d525a2f31aaf161d0");
  sum.reset();
  EXPECT_EQ(hex_of(sum.finish()), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(digest, is_siphash_2_4_with_128_bits_of_the_reference_vectors) {
  mac_key reference_key;
  for (std::uint8_t i = 0; i < 16; ++i) reference_key[i] = i;
  std::array<std::byte, 2> input{std::byte{0}, std::byte{1}};
  EXPECT_EQ(hex_of(keyed_mac(reference_key, {})), "a3817f04ba25a8e66df67214c7550293");
  const std::array<bytes_view, 2> pieces{bytes_view{input}.first(1), bytes_view{input}.last(1)};
  EXPECT_EQ(hex_of(keyed_mac(reference_key, pieces)), "8177228da4a45dc7fca38bdef60affe4");
}

TEST(record, survives_a_round_trip_at_every_kind_of_length) {
  for (const std::uint32_t length : {1u, 4095u, 4096u, 65535u, 65536u, 65537u, 1u << 20, chunk_bytes_max}) {
    std::vector<std::byte> payload(length);
    for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<std::byte>(i * 7 + i / 251);
    const auto page = encoded(payload);
    const auto header = decode_record_header(page, key, here);
    ASSERT_TRUE(header) << header.error().text;
    EXPECT_EQ(header->id(), name);
    EXPECT_EQ(header->length(), length);
    EXPECT_TRUE(verify_blocks(*header, 0, payload));
    payload.back() ^= std::byte{1};
    EXPECT_FALSE(verify_blocks(*header, 0, payload));
  }
}

TEST(record, refuses_a_header_with_any_covered_bit_flipped) {
  const std::vector<std::byte> payload(3 * block_size_bytes, std::byte{9});
  const auto good = encoded(payload);
  const std::size_t covered = 56 + 4 * 3;
  for (std::size_t bit = 0; bit < page_bytes * 8; ++bit) {
    const auto at = bit / 8;
    if (at >= covered && at < page_bytes - sizeof(mac_tag)) continue; // padding, which says nothing
    auto page = good;
    page[at] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(decode_record_header(page, key, here)) << "bit " << bit;
  }
}

TEST(record, refuses_a_header_of_another_place_or_disk) {
  const std::vector<std::byte> payload(100, std::byte{9});
  const auto page = encoded(payload);
  EXPECT_FALSE(decode_record_header(page, key, {here.segment, here.offset + page_bytes}));
  EXPECT_FALSE(decode_record_header(page, key, {here.segment + 1, here.offset}));
  auto other = key;
  other[0] ^= 1;
  EXPECT_FALSE(decode_record_header(page, other, here));
}

TEST(record, verifies_single_blocks_and_blocks_in_two_pieces) {
  std::vector<std::byte> payload(2 * block_size_bytes + 100);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::byte>(i % 253);
  const auto page = encoded(payload);
  const auto header = decode_record_header(page, key, here);
  ASSERT_TRUE(header);
  const bytes_view all{payload};
  EXPECT_TRUE(verify_blocks(*header, 1, all.subspan(block_size_bytes, block_size_bytes)));
  EXPECT_TRUE(verify_blocks(*header, 2, all.subspan(2 * block_size_bytes)));
  EXPECT_FALSE(verify_blocks(*header, 0, all.subspan(block_size_bytes, block_size_bytes)));
  EXPECT_TRUE(verify_blocks(*header, 0, all.first(500), all.subspan(500, block_size_bytes - 500)));
  EXPECT_FALSE(verify_blocks(*header, 0, all.first(500), all.subspan(501, block_size_bytes - 500)));
}

TEST(record, has_a_layout_on_disk_that_does_not_change) {
  const auto page = encoded(view_of("cairn"));
  EXPECT_EQ(std::memcmp(page.data(), "CAIRNREC\1\0\0\0\7\0\0\0\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0", 40),
            0);
  EXPECT_EQ(load_le<std::uint64_t>(page.data() + 40), here.segment);
  EXPECT_EQ(load_le<std::uint64_t>(page.data() + 48), here.offset);
  EXPECT_EQ(load_le<std::uint32_t>(page.data() + 56), crc32c(view_of("cairn")));
  EXPECT_TRUE(std::all_of(page.begin() + 60, page.end() - sizeof(mac_tag), [](auto b) { return b == std::byte{0}; }));
}

} // namespace cairn::storage::record_test
