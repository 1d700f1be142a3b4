// Digests by OpenSSL, whose only user is digest.cpp: MD5 for ETags, SipHash-2-4 as the keyed checksum of on-disk
// headers. Running out of memory or a build of OpenSSL without these algorithms ends the process with a message.
#pragma once

#include "storage/file_system.hpp"

#include <array>
#include <cstdint>
#include <memory>

namespace cairn::storage {

// Incremental MD5 (RFC 1321). One thread at a time; movable. After finish() only destruction or reset() is allowed.
class md5 {
public:
  using digest = std::array<std::uint8_t, 16>;
  md5();
  ~md5();
  md5(md5&&) noexcept;
  md5& operator=(md5&&) noexcept;
  void update(bytes_view data);
  digest finish();
  void reset();

private:
  struct context;
  std::unique_ptr<context> context_;
};

using mac_key = std::array<std::uint8_t, 16>;
using mac_tag = std::array<std::uint8_t, 16>;

// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash", 2012) over the parts, one after the other.
// Thread-safe; allocates once a thread. About 1 GB/s: for headers, not for payloads.
mac_tag keyed_mac(const mac_key& key, std::span<const bytes_view> parts) noexcept;

} // namespace cairn::storage
