#include "storage/chunks/segment.hpp"

#include "base/files/memory_file_system.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::segment_test {

constexpr mac_key key{9};

class segment : public testing::Test {
protected:
  void SetUp() override { file_ = *disk_.open("/5.seg", open_mode::create); }

  segment_entry add(std::uint64_t offset, std::uint32_t index, std::size_t length) {
    std::vector<std::byte> payload(length, std::byte(index + 1)), page(page_bytes);
    const chunk_id id{{1, 2}, index};
    encode_record_header(page_span{page.data(), page_bytes}, key, {5, offset}, id, payload);
    const std::array<bytes_view, 2> parts{page, payload};
    EXPECT_TRUE(file_->write(offset, parts));
    return {id, {{5, offset}, static_cast<std::uint32_t>(length)}};
  }
  void flip(std::uint64_t byte) { disk_.flip_bit("/5.seg", byte * 8); }

  memory_file_system disk_;
  std::unique_ptr<file> file_;
};

TEST_F(segment, has_file_names_that_sort_like_numbers_and_parse_back) {
  EXPECT_EQ(segment_file_name(0xa1), "00000000000000a1.seg");
  EXPECT_EQ(parse_segment_file_name("00000000000000a1.seg"), 0xa1u);
  for (const auto* wrong : {"a1.seg", "00000000000000A1.seg", "00000000000000a1.sex", "00000000000000g1.seg", ""})
    EXPECT_FALSE(parse_segment_file_name(wrong)) << wrong;
}

TEST_F(segment, returns_from_its_footer_what_was_sealed_also_when_sealed_twice) {
  ASSERT_TRUE(file_->preallocate(1 << 20));
  EXPECT_EQ(read_footer(*file_, key, 5).error(), errc::not_found);
  std::vector<segment_entry> entries;
  for (std::uint32_t i = 0; i < 200; ++i) entries.push_back({{{1, i}, i}, {{5, i * 8192}, 100 + i}});
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(seal_segment_file(*file_, key, 5, 200 * 8192, entries));
    EXPECT_EQ(*file_->size(), 200 * 8192 + footer_bytes(200));
    const auto footer = read_footer(*file_, key, 5);
    ASSERT_TRUE(footer);
    EXPECT_EQ(footer->data_end, 200u * 8192);
    ASSERT_EQ(footer->entries.size(), 200u);
    for (std::size_t i = 0; i < 200; ++i) {
      EXPECT_EQ(footer->entries[i].id, entries[i].id);
      EXPECT_EQ(footer->entries[i].location, entries[i].location);
    }
  }
}

TEST_F(segment, refuses_a_footer_of_another_segment_disk_or_with_a_flipped_bit) {
  const segment_entry entry{{{1, 2}, 3}, {{5, 0}, 100}};
  ASSERT_TRUE(seal_segment_file(*file_, key, 5, 8192, std::span{&entry, 1}));
  EXPECT_EQ(read_footer(*file_, key, 6).error(), errc::corrupt);
  EXPECT_EQ(read_footer(*file_, mac_key{8}, 5).error(), errc::corrupt);
  for (const std::uint64_t byte : {8192 + 1, 8192 + 31, 3 * 4096 + 8, 3 * 4096 + 24, 3 * 4096 + 35, 4 * 4096 - 1}) {
    flip(byte);
    EXPECT_EQ(read_footer(*file_, key, 5).error(), errc::corrupt) << byte;
    flip(byte);
  }
  EXPECT_TRUE(read_footer(*file_, key, 5));
}

TEST_F(segment, finds_records_behind_holes_and_damage_when_scanned) {
  ASSERT_TRUE(file_->preallocate(8 << 20));
  const auto first = add(0, 0, 100);
  const auto behind_hole = add(3 << 20, 1, 2 << 20);
  const auto torn = add(6 << 20, 2, 100000);
  const auto last = add(7 << 20, 3, 1);
  flip((6 << 20) + 4096 + 70000);
  std::vector<std::pair<chunk_id, bool>> found;
  ASSERT_TRUE(scan_segment_file(*file_, key, 5, [&](const segment_entry& entry, bool good) {
    found.emplace_back(entry.id, good);
    return true;
  }));
  EXPECT_EQ(found, (std::vector<std::pair<chunk_id, bool>>{
                       {first.id, true}, {behind_hole.id, true}, {torn.id, false}, {last.id, true}}));
  EXPECT_TRUE(*holds_records(*file_, key, 5));
  EXPECT_FALSE(*holds_records(*file_, mac_key{8}, 5));
}

TEST_F(segment, distinguishes_a_hole_from_a_damaged_record) {
  const auto entry = add(4096, 1, 100);
  EXPECT_TRUE(verify_record(*file_, key, entry, true));
  auto other = entry;
  other.id.index = 2;
  EXPECT_EQ(verify_record(*file_, key, other, false).error(), errc::corrupt);
  other = entry;
  other.location.place.offset = 0;
  EXPECT_EQ(verify_record(*file_, key, other, false).error(), errc::not_found);
  other.location.place.offset = 1 << 20;
  EXPECT_EQ(verify_record(*file_, key, other, false).error(), errc::corrupt);
  flip(2 * 4096 + 5);
  EXPECT_TRUE(verify_record(*file_, key, entry, false));
  EXPECT_EQ(verify_record(*file_, key, entry, true).error(), errc::corrupt);
}

} // namespace cairn::storage::segment_test
