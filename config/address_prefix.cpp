#include "config/address_prefix.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace cairn::config {

namespace {

constexpr address_bytes mapped_v4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint32_t mapped_bits = 96, party_bits = 64;

bool is_v4(const address_bytes& a) {
  return std::equal(a.begin(), a.begin() + mapped_bits / 8, mapped_v4.begin());
}

address_bytes masked(address_bytes a, std::uint32_t bits) {
  for (std::uint32_t i = 0; i < a.size(); ++i) {
    const auto kept = std::clamp<std::int64_t>(std::int64_t{bits} - std::int64_t{8} * i, 0, 8);
    a[i] = static_cast<std::uint8_t>(a[i] & (0xff00u >> kept));
  }
  return a;
}

} // namespace

std::optional<address_bytes> parse_address_bytes(std::string_view text) {
  const std::string terminated{text};
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  address_bytes out{};
  if (::inet_pton(AF_INET6, terminated.c_str(), out.data()) == 1) return out;
  out = mapped_v4;
  if (::inet_pton(AF_INET, terminated.c_str(), out.data() + mapped_bits / 8) == 1) return out;
  return std::nullopt;
}

bool address_prefix::contains(const address_bytes& address) const {
  return is_v4(address) == is_v4(first) && masked(address, bits) == first;
}

std::optional<address_prefix> parse_address_prefix(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address_bytes(text.substr(0, slash));
  if (!address) return std::nullopt;
  const bool v4 = is_v4(*address), mapped = v4 && text.find(':') != std::string_view::npos;
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
  return is_v4(address) || address == loopback ? address : masked(address, party_bits);
}

} // namespace cairn::config
