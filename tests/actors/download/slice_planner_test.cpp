#include "actors/download/slice_planner.hpp"

#include <gtest/gtest.h>

#include <random>

namespace cairn::actors::slice_planner_test {

using storage::metadata::manifest_part;
constexpr std::uint32_t block = block_size_bytes;
constexpr std::uint32_t chunk = 4 * block;
constexpr std::uint32_t whole = 16 << 20;

manifest_part part_of(std::uint64_t object_offset, std::uint64_t length, std::uint64_t blob_number,
                      std::uint64_t blob_offset = 0) {
  manifest_part out;
  out.blob = {1, blob_number};
  out.object_offset = object_offset;
  out.blob_offset = blob_offset;
  out.length = length;
  out.chunk_size = chunk;
  return out;
}

part_list parts_of(std::vector<manifest_part> parts) {
  return std::make_shared<const std::vector<manifest_part>>(std::move(parts));
}

std::vector<planned_slice> all(slice_planner& planner, std::uint32_t bytes_max = whole) {
  std::vector<planned_slice> out;
  while (!planner.done() && !planner.needs_parts_from()) {
    out.push_back(planner.peek(bytes_max));
    planner.take(out.back());
  }
  return out;
}

TEST(slice_planner, reads_a_whole_object_chunk_by_chunk) {
  slice_planner planner{{{0, 2 * chunk + 100}}, parts_of({part_of(0, 2 * chunk + 100, 9)})};
  const auto slices = all(planner);
  ASSERT_EQ(slices.size(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(slices[i].chunk, (chunk_id{{1, 9}, i}));
    EXPECT_EQ(slices[i].read_offset, 0u);
    EXPECT_EQ(slices[i].trim, 0u);
  }
  EXPECT_EQ(slices[0].length, chunk);
  EXPECT_EQ(slices[2].length, 100u);
  EXPECT_EQ(slices[2].read_length, block); // a checksum covers a block
}

TEST(slice_planner, reads_a_small_range_by_its_blocks_only) {
  slice_planner planner{{{chunk + 2 * block - 10, 20}}, parts_of({part_of(0, 10 * chunk, 9)})};
  const auto slices = all(planner);
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_EQ(slices[0].chunk.index, 1u);
  EXPECT_EQ(slices[0].read_offset, block);
  EXPECT_EQ(slices[0].read_length, 2 * block);
  EXPECT_EQ(slices[0].trim, block - 10);
  EXPECT_EQ(slices[0].length, 20u);
}

TEST(slice_planner, goes_down_to_one_block_under_pressure) {
  slice_planner planner{{{10, chunk}}, parts_of({part_of(0, 2 * chunk, 9)})};
  const auto slices = all(planner, block);
  ASSERT_EQ(slices.size(), 5u);
  EXPECT_EQ(slices[0].length, block - 10);
  EXPECT_EQ(slices[1].length, block);
  EXPECT_EQ(slices[4].chunk.index, 1u);
  EXPECT_EQ(slices[4].length, 10u);
  for (const auto& s : slices) EXPECT_EQ(s.read_length, block);
}

TEST(slice_planner, follows_the_parts_of_a_manifest_into_their_blobs) {
  slice_planner planner{{{90, 20}}, parts_of({part_of(0, 100, 7), part_of(100, 100, 8, chunk + 5)})};
  const auto slices = all(planner);
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ(slices[0].chunk, (chunk_id{{1, 7}, 0}));
  EXPECT_EQ(slices[0].trim, 90u);
  EXPECT_EQ(slices[0].length, 10u);
  EXPECT_EQ(slices[1].chunk, (chunk_id{{1, 8}, 1}));
  EXPECT_EQ(slices[1].trim, 5u);
  EXPECT_EQ(slices[1].length, 10u);
}

TEST(slice_planner, asks_for_the_page_of_parts_that_it_lacks_forwards_and_backwards) {
  slice_planner planner{{{150, 100}, {0, 10}}, parts_of({part_of(0, 100, 7)})};
  EXPECT_EQ(planner.needs_parts_from(), 150u);
  ASSERT_TRUE(planner.add_parts(parts_of({part_of(100, 100, 8)})));
  EXPECT_EQ(all(planner).size(), 1u);
  EXPECT_EQ(planner.needs_parts_from(), 200u);
  ASSERT_TRUE(planner.add_parts(parts_of({part_of(200, 100, 9)})));
  EXPECT_EQ(all(planner).size(), 1u);
  EXPECT_EQ(planner.needs_parts_from(), 0u);
  ASSERT_TRUE(planner.add_parts(parts_of({part_of(0, 100, 7)})));
  EXPECT_EQ(all(planner).size(), 1u);
  EXPECT_TRUE(planner.done());
}

TEST(slice_planner, refuses_a_page_that_does_not_cover_the_offset_or_contradicts_itself) {
  auto broken = part_of(0, 100, 7);
  broken.chunk_size = 0;
  auto odd = part_of(0, 100, 7);
  odd.chunk_size = block + 1;
  auto endless = part_of(0, ~0ull, 7);
  endless.chunk_size = block;
  for (const auto& page :
       {parts_of({}), parts_of({part_of(50, 100, 7)}), parts_of({broken}), parts_of({odd}), parts_of({endless})}) {
    slice_planner planner{{{0, 10}}, parts_of({})};
    EXPECT_EQ(planner.add_parts(page).error(), errc::corrupt);
  }
}

TEST(slice_planner, skips_empty_ranges) {
  slice_planner nothing{{{5, 0}, {7, 0}}, nullptr};
  EXPECT_TRUE(nothing.done());
  slice_planner planner{{{0, 0}, {1, 2}, {50, 0}}, parts_of({part_of(0, 100, 7)})};
  EXPECT_EQ(all(planner).size(), 1u);
  EXPECT_TRUE(planner.done());
}

// Whatever the ranges and parts, the slices are the ranges' bytes in order, none crosses a chunk, all are
// block-aligned.
TEST(slice_planner, covers_random_ranges_exactly) {
  std::mt19937_64 draw{1};
  const auto below = [&](std::uint64_t n) { return draw() % n; };
  for (int round = 0; round < 2000; ++round) {
    std::vector<manifest_part> parts;
    std::uint64_t size = 0;
    for (auto n = 1 + below(5); n > 0; --n) {
      parts.push_back(part_of(size, 1 + below(3 * chunk), 1 + parts.size(), below(2 * chunk)));
      size += parts.back().length;
    }
    std::vector<byte_range> ranges;
    for (auto n = 1 + below(3); n > 0; --n) {
      const auto offset = below(size);
      ranges.push_back({offset, below(size - offset + 1)});
    }
    slice_planner planner{ranges, parts_of(parts)};
    for (const auto& range : ranges) {
      for (auto at = range.offset; at < range.offset + range.length;) {
        const auto bytes_max = std::uint32_t((1 + below(4)) * block);
        const auto s = planner.peek(bytes_max);
        planner.take(s);
        const auto& part =
            *std::find_if(parts.begin(), parts.end(), [&](const auto& p) { return at < p.object_offset + p.length; });
        const auto in_blob = part.blob_offset + at - part.object_offset;
        ASSERT_EQ(s.chunk.blob, part.blob);
        ASSERT_EQ(std::uint64_t{s.chunk.index} * chunk + s.read_offset + s.trim, in_blob);
        ASSERT_EQ(s.read_offset % block, 0u);
        ASSERT_LE(s.trim + s.length, s.read_length);
        ASSERT_LE(s.read_length, bytes_max);
        ASSERT_LE(s.read_offset + s.read_length, chunk);
        ASSERT_GT(s.length, 0u);
        at += s.length;
        ASSERT_LE(at, range.offset + range.length);
        ASSERT_LE(at, part.object_offset + part.length);
      }
    }
    ASSERT_TRUE(planner.done());
  }
}

} // namespace cairn::actors::slice_planner_test
