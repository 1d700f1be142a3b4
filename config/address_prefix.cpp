#include "config/address_prefix.hpp"

#include <algorithm>
#include <charconv>

namespace cairn::config {

namespace {

constexpr std::uint32_t mapped_bits = 96, party_bits = 64;

address_bytes masked(address_bytes a, std::uint32_t bits) {
  for (std::uint32_t i = 0; i < a.size(); ++i) {
    const auto kept = std::clamp<std::int64_t>(std::int64_t{bits} - std::int64_t{8} * i, 0, 8);
    a[i] = static_cast<std::uint8_t>(a[i] & (0xff00u >> kept));
  }
  return a;
}

} // namespace

bool address_prefix::contains(const address_bytes& address) const {
  return is_ipv4(address) == is_ipv4(first) && masked(address, bits) == first;
}

std::optional<address_prefix> parse_address_prefix(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address_bytes(text.substr(0, slash));
  if (!address) return std::nullopt;
  const bool v4 = is_ipv4(*address), mapped = v4 && text.find(':') != std::string_view::npos;
  std::uint32_t bits = v4 && !mapped ? 32 : 128;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto most = bits;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (failed != std::errc{} || end != digits.data() + digits.size() || bits > most) return std::nullopt;
  }
  if (v4 && !mapped) bits += mapped_bits;
  if (v4 ? bits < mapped_bits : bits > party_bits) return std::nullopt;
  return address_prefix{masked(*address, bits), bits};
}

address_bytes party_of(address_bytes address) {
  constexpr address_bytes loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return is_ipv4(address) || address == loopback ? address : masked(address, party_bits);
}

} // namespace cairn::config
