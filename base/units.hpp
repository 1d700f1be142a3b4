// Typed values of the configuration: sizes, durations, addresses. The text forms are those of TOML files and the
// command line; format(parse(x)) is the canonical form. Parsers return invalid_argument with the expected form.
#pragma once

#include "base/error.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::config {

// "64KiB", "1 MiB", "10GiB", "500MB" (decimal), "4096" or "4096B". No fractions.
struct byte_size {
  std::uint64_t bytes = 0;
  friend auto operator<=>(const byte_size&, const byte_size&) = default;
};

// "50ms", "30s", "10min", "24h", "250us", "0s". A number without a unit is refused, except 0.
using duration = std::chrono::microseconds;

// "127.0.0.1:9000", "[::1]:9000", "0.0.0.0:9000". Port 0 lets the system choose. Of host names only localhost is
// accepted.
struct endpoint {
  std::string host; // numeric address, without brackets
  std::uint16_t port = 0;
  bool is_loopback() const;
  friend bool operator==(const endpoint&, const endpoint&) = default;
};

// The address of another node: "node-2.example.org:9100", "10.0.0.7:9100", "[fd00::7]:9100". Names are not resolved
// here.
struct host_port {
  std::string host;       // name or numeric address, without brackets
  std::uint16_t port = 0; // 1 or more
  friend bool operator==(const host_port&, const host_port&) = default;
};

// A numeric address as bytes; IPv4 as ::ffff:a.b.c.d.
using address_bytes = std::array<std::uint8_t, 16>;
std::optional<address_bytes> parse_address_bytes(std::string_view text);
bool is_ipv4(const address_bytes& address); // also one that was written as ::ffff:a.b.c.d

result<byte_size> parse_byte_size(std::string_view text);
result<duration> parse_duration(std::string_view text);
result<endpoint> parse_endpoint(std::string_view text);
result<host_port> parse_host_port(std::string_view text);
bool is_host_name(std::string_view text); // a DNS name or an IPv4 address, without a port
// Of a provider of web identities: its issuer's URL without the scheme, "idp.example.org/team". The host is in lower
// case, and has a dot or a port, or is localhost; so it is none of AWS's words ("sts").
bool is_provider_name(std::string_view text);
std::string format(byte_size value);
std::string format(duration value);
std::string format(const endpoint& value);

namespace literals {
constexpr std::uint64_t operator""_KiB(unsigned long long n) {
  return n << 10;
}
constexpr std::uint64_t operator""_MiB(unsigned long long n) {
  return n << 20;
}
constexpr std::uint64_t operator""_GiB(unsigned long long n) {
  return n << 30;
}
constexpr std::uint64_t operator""_TiB(unsigned long long n) {
  return n << 40;
}
} // namespace literals

} // namespace cairn::config
