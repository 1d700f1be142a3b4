#include "base/checksum.hpp"

#include <isa-l/crc.h>

#include <algorithm>
#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace cairn {

namespace {

constexpr std::size_t step_max = std::size_t{1} << 30; // ISA-L takes lengths as int

constexpr std::uint64_t nvme_polynomial = 0x9a6c9329ac4bc9b5; // bit-reflected, as are all states and constants here

// Slicing by 8 (Kounavis, Berry: "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation", 2008):
// table[n][b] is the checksum of byte b followed by n zero bytes.
using slicing_tables = std::array<std::array<std::uint64_t, 256>, 8>;
constexpr slicing_tables nvme_tables = [] {
  slicing_tables tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::uint64_t state = byte;
    for (int bit = 0; bit < 8; ++bit) state = state >> 1 ^ (state & 1 ? nvme_polynomial : 0);
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

// The state, without the inversions, after these bytes.
std::uint64_t sliced(bytes_view data, std::uint64_t state) noexcept {
  const auto& t = nvme_tables;
  for (; data.size() >= 8; data = data.subspan(8)) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) word |= std::to_integer<std::uint64_t>(data[i]) << 8 * i;
    word ^= state;
    state = 0;
    for (std::size_t i = 0; i < 8; ++i) state ^= t[7 - i][word >> 8 * i & 0xff];
  }
  for (const auto byte : data) state = state >> 8 ^ t[0][(state ^ std::to_integer<std::uint64_t>(byte)) & 0xff];
  return state;
}

#if defined(__x86_64__)
// Folding with carry-less multiplication (Gopal et al.: "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
// Instruction", Intel, 2009): 128 bits of the message are replaced by a congruent value that is added to the bytes
// `distance` bits later. The product of two reflected words is one bit short, so the powers of x are one smaller.
constexpr std::size_t fold_bytes = 64, folded_min = 256;

constexpr std::uint64_t power_of_x(unsigned exponent) {
  std::uint64_t power = std::uint64_t{1} << 63; // x^0
  for (; exponent > 0; --exponent) power = power >> 1 ^ (power & 1 ? nvme_polynomial : 0);
  return power;
}

template <unsigned Distance> // bits
__attribute__((target("pclmul"))) __m128i fold(__m128i from, __m128i onto) noexcept {
  constexpr std::uint64_t first = power_of_x(Distance + 63), second = power_of_x(Distance - 1);
  const auto powers = _mm_set_epi64x(static_cast<long long>(second), static_cast<long long>(first));
  return _mm_xor_si128(onto, _mm_xor_si128(_mm_clmulepi64_si128(from, powers, 0x00), // the earlier 64 bits
                                           _mm_clmulepi64_si128(from, powers, 0x11)));
}

// As sliced(), for at least fold_bytes.
__attribute__((target("pclmul"))) std::uint64_t folded(bytes_view data, std::uint64_t state) noexcept {
  const auto load = [&data](std::size_t lane) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data.data()) + lane);
  };
  __m128i lanes[] = {load(0), load(1), load(2), load(3)};
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128(static_cast<long long>(state)));
  data = data.subspan(fold_bytes);
  for (; data.size() >= fold_bytes; data = data.subspan(fold_bytes))
    for (std::size_t i = 0; i < std::size(lanes); ++i) lanes[i] = fold<8 * fold_bytes>(lanes[i], load(i));
  auto all = lanes[0];
  for (std::size_t i = 1; i < std::size(lanes); ++i) all = fold<128>(all, lanes[i]);
  std::array<std::byte, sizeof(__m128i)> rest{};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest.data()), all);
  return sliced(data, sliced(rest, 0));
}
#endif

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
#if defined(__x86_64__)
  static const bool multiplies = __builtin_cpu_supports("pclmul");
  if (multiplies && data.size() >= folded_min) return ~folded(data, ~before);
#endif
  return ~sliced(data, ~before);
}

} // namespace cairn
