#include "cli/import/part_layout.hpp"

#include <charconv>

namespace cairn::cli {

namespace {

// Defaults of well-known clients, the most common first.
constexpr std::uint64_t usual_part_bytes[] = {8_MiB,  16_MiB, 5_MiB,  15_MiB,  64_MiB,  32_MiB,
                                              10_MiB, 50_MiB, 25_MiB, 100_MiB, 128_MiB, 512_MiB};

// The sizes that make `count` parts lie in a short range; nullopt: none is a whole number of MiB.
std::optional<std::uint64_t> probable_part_bytes(std::uint64_t size_bytes, std::uint64_t count) {
  if (count == 1) return size_bytes;
  const auto least = (size_bytes + count - 1) / count, most = (size_bytes - 1) / (count - 1);
  for (const auto bytes : usual_part_bytes)
    if (bytes >= least && bytes <= most) return bytes;
  const auto whole = (least + 1_MiB - 1) / 1_MiB * 1_MiB;
  if (whole > most) return std::nullopt;
  return whole;
}

bool can_be_stored(std::uint64_t part_bytes, std::uint64_t count) {
  return count <= parts_max && part_bytes <= part_bytes_max && (count == 1 || part_bytes >= part_bytes_min);
}

} // namespace

std::optional<std::uint64_t> part_count_of(std::string_view etag) {
  const auto dash = etag.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::uint64_t count = 0;
  const auto* end = etag.data() + etag.size();
  const auto [last, code] = std::from_chars(etag.data() + dash + 1, end, count);
  if (code != std::errc{} || last != end || count == 0) return std::nullopt;
  return count;
}

part_layout plan_part_layout(std::uint64_t size_bytes, std::uint64_t part_count,
                             std::optional<std::uint64_t> first_part_bytes) {
  using way = part_layout::way;
  if (first_part_bytes && can_be_stored(*first_part_bytes, part_count)) return {way::by_part_number, part_count, {}};
  const auto probable = size_bytes == 0 ? std::nullopt : probable_part_bytes(size_bytes, part_count);
  if (!first_part_bytes && probable && can_be_stored(*probable, part_count))
    return {way::by_range, part_count, {size_bytes, *probable}};
  if (!goes_in_parts(size_bytes, part_bytes_default)) return {};
  const auto plan = plan_parts(size_bytes, part_bytes_default);
  return {way::by_range, plan.count(), plan};
}

} // namespace cairn::cli
