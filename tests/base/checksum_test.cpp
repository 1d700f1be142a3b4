#include "base/checksum.hpp"

#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

namespace cairn::checksum_test {

TEST(checksum, crc64nvme_of_long_data_is_that_of_its_short_pieces) {
  // Short pieces are computed from tables, long ones with carry-less multiplication.
  seeded_random random{1};
  std::vector<std::byte> bytes(70'000);
  for (auto& b : bytes) b = std::byte(random.next());
  for (const std::size_t size : {0, 1, 8, 63, 64, 255, 256, 257, 300, 320, 383, 511, 512, 1000, 4096, 5001, 65536}) {
    for (const std::size_t from : {0, 1, 7}) {
      const bytes_view all{bytes.data() + from, size};
      std::uint64_t expected = 0;
      for (auto rest = all; !rest.empty();) {
        const auto piece = rest.first(std::min<std::size_t>(rest.size(), 100));
        expected = crc64nvme(piece, expected);
        rest = rest.subspan(piece.size());
      }
      EXPECT_EQ(crc64nvme(all), expected) << size << " bytes from " << from;
      const auto half = size / 2;
      EXPECT_EQ(crc64nvme(all.subspan(half), crc64nvme(all.first(half))), expected) << size << " in two halves";
    }
  }
}

} // namespace cairn::checksum_test
