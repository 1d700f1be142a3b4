#include "net/wire/grammar/ranges.hpp"

#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/field_text.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace cairn::net {

namespace {

constexpr std::uint64_t offset_max = std::numeric_limits<std::uint64_t>::max();

// Digits only; a number too large to hold saturates, since it lies beyond every object.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (offset_max - digit) / 10 ? offset_max : value * 10 + digit;
  }
  return value;
}

enum class spec_kind : std::uint8_t { malformed, outside, inside };

spec_kind select(std::string_view spec, std::uint64_t size, selected_range& selected) {
  const auto dash = spec.find('-');
  if (dash == spec.npos) return spec_kind::malformed;
  const auto last = number(spec.substr(dash + 1));
  if (dash == 0) {
    if (!last) return spec_kind::malformed;
    const auto length = std::min(*last, size);
    selected = {size - length, length};
    return length == 0 ? spec_kind::outside : spec_kind::inside;
  }
  const auto first = number(spec.substr(0, dash));
  const bool open_ended = dash + 1 == spec.size();
  if (!first || (!open_ended && (!last || *last < *first))) return spec_kind::malformed;
  if (*first >= size) return spec_kind::outside;
  selected = {*first, open_ended ? size - *first : std::min(*last - *first, size - *first - 1) + 1};
  return spec_kind::inside;
}

} // namespace

range_selection select_ranges(std::string_view header, std::uint64_t object_size) {
  constexpr std::string_view unit = "bytes=";
  if (!istarts_with(header, unit)) return {};
  header.remove_prefix(unit.size());
  range_selection selection;
  std::uint64_t selected_bytes = 0;
  std::size_t specs = 0;
  while (true) {
    const auto comma = header.find(',');
    const auto spec = trimmed(header.substr(0, comma));
    if (!spec.empty()) {
      selected_range range;
      if (++specs > ranges_max) return {};
      switch (select(spec, object_size, range)) {
        case spec_kind::malformed: return {};
        case spec_kind::outside: break;
        case spec_kind::inside:
          if (range.length > object_size - selected_bytes) return {};
          selected_bytes += range.length;
          selection.ranges.push_back(range);
      }
    }
    if (comma == header.npos) break;
    header.remove_prefix(comma + 1);
  }
  if (specs == 0) return {};
  selection.kind = selection.ranges.empty() ? range_kind::unsatisfiable : range_kind::partial;
  return selection;
}

} // namespace cairn::net
