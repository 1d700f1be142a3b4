#include "cluster/layout/placement.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <bit>

namespace cairn::cluster {

namespace {

// The finaliser of MurmurHash3 (Appleby): every input bit changes every output bit with probability one half.
std::uint64_t mixed(std::uint64_t x) noexcept {
  x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDull;
  x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53ull;
  return x ^ (x >> 33);
}

std::uint64_t half(const uuid& id, std::size_t from) noexcept {
  std::uint64_t out = 0;
  for (std::size_t i = from; i < from + 8; ++i) out = out << 8 | id[i];
  return out;
}

// -log2((x + 1) / 2^64) in units of 2^-24, by repeated squaring (Knuth, TAOCP 1.2.2, exercise 25). At least 1.
std::uint64_t negative_log2(std::uint64_t x) noexcept {
  constexpr int fraction_bits = 24;
  x |= 1;
  const int leading = std::countl_zero(x);
  std::uint64_t mantissa = (x << leading) >> 32; // [2^31, 2^32): 1 ≤ m < 2 in units of 2^-31
  std::uint64_t fraction = 0;
  for (int i = 0; i < fraction_bits; ++i) {
    mantissa = mantissa * mantissa >> 31;
    fraction <<= 1;
    if (mantissa >> 32) {
      fraction |= 1;
      mantissa >>= 1;
    }
  }
  const std::uint64_t whole = std::uint64_t(leading + 1) << fraction_bits;
  return std::max<std::uint64_t>(whole - fraction, 1);
}

} // namespace

placement::placement(std::span<const placement_member> members) : members_(members.size()) {
  CAIRN_ASSERT(members_ > 0 && members_ <= 0xFFFF);
  table_.resize(members_ * partition_count);
  if (members_ == 1) return;
  std::vector<std::uint64_t> seeds;
  for (const auto& m : members) {
    CAIRN_ASSERT(m.weight > 0);
    seeds.push_back(mixed(half(m.id, 0) ^ mixed(half(m.id, 8))));
  }
  std::vector<double> scores(members_);
  for (std::size_t p = 0; p < partition_count; ++p) {
    for (std::size_t i = 0; i < members_; ++i) {
      const auto drawn = mixed(seeds[i] ^ mixed(p + 1));
      scores[i] = members[i].weight / double(negative_log2(drawn));
    }
    const auto row = std::span{table_}.subspan(p * members_, members_);
    for (std::size_t i = 0; i < members_; ++i) row[i] = std::uint16_t(i);
    std::ranges::sort(row, [&](std::uint16_t a, std::uint16_t b) {
      return scores[a] != scores[b] ? scores[a] > scores[b] : members[a].id < members[b].id;
    });
  }
}

} // namespace cairn::cluster
