// Ranges of clients' addresses: "10.0.0.0/8", "192.0.2.7", "2001:db8::/48". Pure functions.
#pragma once

#include "base/units.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace cairn::config {

struct address_prefix {
  address_bytes first{};    // without bits behind the prefix
  std::uint32_t bits = 128; // of the 16 bytes
  bool contains(const address_bytes& address) const;
  friend bool operator==(const address_prefix&, const address_prefix&) = default;
};

// A single IPv4 address is a prefix, too. IPv6 has at most /64, because a client of IPv6 has that many addresses.
std::optional<address_prefix> parse_address_prefix(std::string_view text);

// The party of a client: an IPv4 address, the /64 of an IPv6 address; loopback stays as it is.
address_bytes party_of(address_bytes address);

} // namespace cairn::config
