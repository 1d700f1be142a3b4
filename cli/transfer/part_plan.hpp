// How a large file is cut into the parts of a multipart upload. S3's bounds: 10,000 parts, 5 MiB to 5 GiB each but for
// the last ("Amazon S3 multipart upload limits", S3 user guide). Pure.
#pragma once

#include "base/units.hpp"

#include <cstdint>

namespace cairn::cli {

using namespace config::literals;
constexpr std::uint64_t parts_max = 10'000;
constexpr std::uint64_t part_bytes_min = 5_MiB, part_bytes_max = 5_GiB, part_bytes_default = 16_MiB;

// Files of more than four parts are sent in parts: below that, one request costs less than four and two more.
constexpr bool goes_in_parts(std::uint64_t size_bytes, std::uint64_t part_bytes) {
  return size_bytes / 4 >= part_bytes && size_bytes > 4 * part_bytes;
}

struct part_plan {
  std::uint64_t size_bytes = 0, part_bytes = 0;

  std::uint64_t count() const { return (size_bytes + part_bytes - 1) / part_bytes; }
  std::uint64_t begin(std::uint64_t index) const { return index * part_bytes; } // index: from 0
  std::uint64_t bytes(std::uint64_t index) const;
};

// Parts of `wanted` bytes, or of more when there would be too many: then of a multiple of 1 MiB. `wanted` lies within
// the bounds; files of more than 10,000 parts of 5 GiB get larger parts, which servers refuse.
part_plan plan_parts(std::uint64_t size_bytes, std::uint64_t wanted);

} // namespace cairn::cli
