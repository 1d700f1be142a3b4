#include "base/units.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace cairn::config {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first, and binary before decimal: format() takes the first unit that divides the value.
constexpr std::array<unit, 13> size_units{{{"PiB", 1ull << 50},
                                           {"TiB", 1ull << 40},
                                           {"GiB", 1ull << 30},
                                           {"MiB", 1ull << 20},
                                           {"KiB", 1ull << 10},
                                           {"PB", 1'000'000'000'000'000ull},
                                           {"TB", 1'000'000'000'000ull},
                                           {"GB", 1'000'000'000ull},
                                           {"MB", 1'000'000ull},
                                           {"KB", 1'000ull},
                                           {"kB", 1'000ull},
                                           {"B", 1},
                                           {"", 1}}};

constexpr std::array<unit, 5> duration_units{
    {{"h", 3'600'000'000ull}, {"min", 60'000'000ull}, {"s", 1'000'000ull}, {"ms", 1'000ull}, {"us", 1}}};

struct quantity {
  std::uint64_t number = 0;
  std::string_view unit;
};

// Digits, optional blanks, a unit.
std::optional<quantity> split(std::string_view text) {
  quantity out;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out.number);
  if (failure != std::errc{}) return std::nullopt;
  out.unit = text.substr(std::size_t(end - text.data()));
  const auto start = out.unit.find_first_not_of(' ');
  if (start == std::string_view::npos) return out.unit.empty() ? std::optional{out} : std::nullopt;
  out.unit.remove_prefix(start);
  return out;
}

template <std::size_t N>
std::optional<std::uint64_t> scaled(const quantity& q, const std::array<unit, N>& units, std::uint64_t most) {
  for (const auto& u : units) {
    if (u.name != q.unit) continue;
    if (q.number > most / u.factor) return std::nullopt;
    return q.number * u.factor;
  }
  return std::nullopt;
}

template <std::size_t N>
std::string shortest(std::uint64_t value, const std::array<unit, N>& units) {
  for (const auto& u : units)
    if (value != 0 && value % u.factor == 0) return std::to_string(value / u.factor).append(u.name);
  return {};
}

error refused(std::string_view expected, std::string_view text) {
  return {errc::invalid_argument, std::string("expected ").append(expected).append(", got \"").append(text) + '"'};
}

constexpr address_bytes mapped_ipv4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t mapped_bytes = 12; // before the IPv4 address

} // namespace

result<byte_size> parse_byte_size(std::string_view text) {
  if (const auto q = split(text))
    if (const auto bytes = scaled(*q, size_units, std::numeric_limits<std::uint64_t>::max())) return byte_size{*bytes};
  return refused("a size such as 64KiB, 1MiB, 10GiB, 500MB or 4096", text);
}

result<duration> parse_duration(std::string_view text) {
  if (const auto q = split(text)) {
    if (q->number == 0 && q->unit.empty()) return duration{0};
    if (const auto us = scaled(*q, duration_units, std::uint64_t(duration::max().count())))
      return duration{duration::rep(*us)};
  }
  return refused("a duration such as 250us, 50ms, 30s, 10min or 24h", text);
}

result<endpoint> parse_endpoint(std::string_view text) {
  const auto wrong = [text] {
    return refused("an address and port such as 127.0.0.1:9000, [::1]:9000 or 0.0.0.0:9000", text);
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.find('\0') != std::string_view::npos) return wrong();
  const auto digits = text.substr(colon + 1);
  endpoint out;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (failure != std::errc{} || end != digits.data() + digits.size()) return wrong();

  auto host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  const auto parsed = parse_address_bytes(host);
  const bool v6 = host.find(':') != std::string_view::npos; // as it is written
  if (!parsed || v6 != bracketed) return wrong();
  const auto* const bytes = parsed->data() + (v6 ? 0 : mapped_bytes);
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  if (!::inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, canonical.data(), canonical.size())) return wrong();
  out.host = canonical.data();
  return out;
}

bool is_host_name(std::string_view text) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  return !text.empty() && text.size() <= 253 && text.find_first_not_of(allowed) == std::string_view::npos;
}

result<host_port> parse_host_port(std::string_view text) {
  if (text.starts_with('[')) {
    auto numeric = parse_endpoint(text);
    if (numeric && numeric->port != 0) return host_port{std::move(numeric->host), numeric->port};
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    host_port out{std::string(text.substr(0, colon)), 0};
    const auto digits = text.substr(colon + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    if (failure == std::errc{} && end == digits.data() + digits.size() && out.port != 0 && is_host_name(out.host))
      return out;
  }
  return refused("a host and a port such as node-2:9100, 10.0.0.7:9100 or [fd00::7]:9100", text);
}

bool is_provider_name(std::string_view text) {
  constexpr std::size_t bytes_max = 255, port_bytes_max = 6;
  constexpr std::string_view small = "abcdefghijklmnopqrstuvwxyz", large = "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                             digits = "0123456789";
  const auto consists_of = [](std::string_view part, std::initializer_list<std::string_view> alphabets) {
    return std::all_of(part.begin(), part.end(), [&](char c) {
      return std::any_of(alphabets.begin(), alphabets.end(), [c](auto a) { return a.find(c) != a.npos; });
    });
  };
  const auto slash = std::min(text.find('/'), text.size());
  const auto host = text.substr(0, slash), path = text.substr(slash);
  const auto colon = std::min(host.find(':'), host.size());
  const auto name = host.substr(0, colon), port = host.substr(colon);
  const bool is_port =
      port.empty() || (port.size() > 1 && port.size() <= port_bytes_max && consists_of(port.substr(1), {digits}));
  const bool is_host = name.find('.') != name.npos || !port.empty() || name == "localhost";
  return text.size() <= bytes_max && !name.empty() && consists_of(name, {small, digits, ".-"}) && is_port && is_host &&
         consists_of(path, {small, large, digits, "/-._~%+=@!"});
}

bool endpoint::is_loopback() const {
  constexpr address_bytes loopback_v6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  const auto parsed = parse_address_bytes(host);
  if (!parsed) return false;
  return is_ipv4(*parsed) ? (*parsed)[mapped_bytes] == 127 : *parsed == loopback_v6;
}

std::optional<address_bytes> parse_address_bytes(std::string_view text) {
  const std::string terminated{text};
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  address_bytes out{};
  if (::inet_pton(AF_INET6, terminated.c_str(), out.data()) == 1) return out;
  out = mapped_ipv4;
  if (::inet_pton(AF_INET, terminated.c_str(), out.data() + mapped_bytes) == 1) return out;
  return std::nullopt;
}

bool is_ipv4(const address_bytes& address) {
  return std::equal(address.begin(), address.begin() + mapped_bytes, mapped_ipv4.begin());
}

std::string format(byte_size value) {
  return value.bytes == 0 ? "0B" : shortest(value.bytes, size_units);
}

std::string format(duration value) {
  CAIRN_ASSERT(value.count() >= 0);
  return value.count() == 0 ? "0s" : shortest(std::uint64_t(value.count()), duration_units);
}

std::string format(const endpoint& value) {
  const bool v6 = value.host.find(':') != std::string::npos;
  return (v6 ? '[' + value.host + ']' : value.host) + ':' + std::to_string(value.port);
}

} // namespace cairn::config
