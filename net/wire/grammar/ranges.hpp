// The Range header (RFC 9110 §14) against an object's size. Pure. A header that does not follow the grammar, names
// another unit, more than `ranges_max` ranges, or more bytes than the object has (overlapping ranges: amplification) is
// ignored, as the RFC allows: the answer has the whole object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cairn::net {

constexpr std::size_t ranges_max = 64;

struct selected_range {
  std::uint64_t offset = 0, length = 0; // bytes of the object, length > 0
  friend bool operator==(const selected_range&, const selected_range&) = default;
};

enum class range_kind : std::uint8_t { whole, partial, unsatisfiable };

struct range_selection {
  range_kind kind = range_kind::whole;
  std::vector<selected_range> ranges; // partial: in the header's order; only those that overlap the object
};

range_selection select_ranges(std::string_view header, std::uint64_t object_size);

} // namespace cairn::net
