#include "base/checksum.hpp"

#include <isa-l/crc.h>

#include <algorithm>
#include <array>

namespace cairn {

namespace {

constexpr std::size_t step_max = std::size_t{1} << 30; // ISA-L takes lengths as int

// Slicing by 8 (Kounavis, Berry: "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation", 2008):
// table[n][b] is the checksum of byte b followed by n zero bytes.
using slicing_tables = std::array<std::array<std::uint64_t, 256>, 8>;
constexpr slicing_tables nvme_tables = [] {
  constexpr std::uint64_t reflected_polynomial = 0x9a6c9329ac4bc9b5;
  slicing_tables tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::uint64_t state = byte;
    for (int bit = 0; bit < 8; ++bit) state = state >> 1 ^ (state & 1 ? reflected_polynomial : 0);
    tables[0][byte] = state;
  }
  for (std::size_t n = 1; n < 8; ++n) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const auto shorter = tables[n - 1][byte];
      tables[n][byte] = shorter >> 8 ^ tables[0][shorter & 0xff];
    }
  }
  return tables;
}();

} // namespace

std::uint32_t crc32c(bytes_view data, std::uint32_t before) noexcept {
  std::uint32_t state = ~before; // crc32_iscsi does neither the initial nor the final inversion
  while (!data.empty()) {
    const auto step = std::min(data.size(), step_max);
    auto* bytes =
        reinterpret_cast<unsigned char*>(const_cast<std::byte*>(data.data())); // ISA-L only reads, but takes non-const
    state = crc32_iscsi(bytes, static_cast<int>(step), state);
    data = data.subspan(step);
  }
  return ~state;
}

std::uint32_t crc32(bytes_view data, std::uint32_t before) noexcept {
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
  return crc32_gzip_refl(before, bytes, data.size()); // does both inversions
}

std::uint64_t crc64nvme(bytes_view data, std::uint64_t before) noexcept {
  const auto& t = nvme_tables;
  std::uint64_t state = ~before;
  for (; data.size() >= 8; data = data.subspan(8)) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) word |= std::to_integer<std::uint64_t>(data[i]) << 8 * i;
    word ^= state;
    state = 0;
    for (std::size_t i = 0; i < 8; ++i) state ^= t[7 - i][word >> 8 * i & 0xff];
  }
  for (const auto byte : data) state = state >> 8 ^ t[0][(state ^ std::to_integer<std::uint64_t>(byte)) & 0xff];
  return ~state;
}

} // namespace cairn
