#include "base/trace/trace_context.hpp"

#include "base/codec.hpp"

namespace cairn {

std::optional<trace_context> parse_traceparent(std::string_view header) {
  constexpr std::size_t length = 55, trace_at = 3, parent_at = 36, flags_at = 53;
  if (header.size() < length) return std::nullopt;
  const auto version = header.substr(0, 2), trace = header.substr(trace_at, 32), parent = header.substr(parent_at, 16),
             flags = header.substr(flags_at, 2);
  for (const auto text : {version, trace, parent, flags})
    if (!is_hex(text)) return std::nullopt;
  for (const auto at : {trace_at, parent_at, flags_at})
    if (header[at - 1] != '-') return std::nullopt;
  if (version == "ff") return std::nullopt;
  if (header.size() > length && (version == "00" || header[length] != '-')) return std::nullopt;
  trace_context out;
  if (!read_hex(trace, out.trace) || out.trace == trace_id{}) return std::nullopt;
  out.parent = read_hex(parent).value_or(0);
  if (out.parent == 0) return std::nullopt;
  out.sampled = (read_hex(flags).value_or(0) & 1) != 0;
  return out;
}

bool is_sampled(std::uint64_t random, double ratio) {
  return static_cast<double>(random >> 11) * 0x1p-53 < ratio;
}

trace_id make_trace_id(std::uint64_t high, std::uint64_t low) {
  trace_id out;
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    out[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  return out;
}

} // namespace cairn
