#include "cli/transfer/part_plan.hpp"

#include <algorithm>

namespace cairn::cli {

std::uint64_t part_plan::bytes(std::uint64_t index) const {
  return std::min(part_bytes, size_bytes - begin(index));
}

part_plan plan_parts(std::uint64_t size_bytes, std::uint64_t wanted) {
  const auto least = size_bytes / parts_max + (size_bytes % parts_max > 0 ? 1 : 0);
  if (least <= wanted) return {size_bytes, wanted};
  return {size_bytes, (least + 1_MiB - 1) / 1_MiB * 1_MiB};
}

} // namespace cairn::cli
