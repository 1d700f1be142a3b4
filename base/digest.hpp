// Digests by OpenSSL, of whose digests digest.cpp is the only user: MD5 for ETags, SHA-256 and its HMAC for signed
// requests and join tokens, SHA-1 for checksums that clients announce, SipHash-2-4 as the keyed checksum of on-disk
// headers. OpenSSL uses the CPU's SHA extensions where there are some. Running out of memory or a build of OpenSSL
// without these algorithms ends the process with a message.
#pragma once

#include "base/file_system.hpp"

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

using sha256_digest = std::array<std::uint8_t, 32>;

// Incremental SHA-256 (FIPS 180-4). One thread at a time; movable. finish() begins anew.
class sha256 {
public:
  sha256();
  ~sha256();
  sha256(sha256&&) noexcept;
  sha256& operator=(sha256&&) noexcept;
  void update(bytes_view data);
  sha256_digest finish();

private:
  struct context;
  std::unique_ptr<context> context_;
};

using sha1_digest = std::array<std::uint8_t, 20>;

// Incremental SHA-1, for checksums that clients announce; it proves nothing against an adversary. As sha256 else.
class sha1 {
public:
  sha1();
  ~sha1();
  sha1(sha1&&) noexcept;
  sha1& operator=(sha1&&) noexcept;
  void update(bytes_view data);
  sha1_digest finish();

private:
  struct context;
  std::unique_ptr<context> context_;
};

// Thread-safe; for short texts.
sha256_digest sha256_of(bytes_view data);
sha256_digest hmac_sha256(bytes_view key, bytes_view message); // RFC 2104

// How long it takes tells nothing about where the two differ. Different lengths are unequal at once.
bool equal_in_constant_time(bytes_view a, bytes_view b) noexcept;

using mac_key = std::array<std::uint8_t, 16>;
using mac_tag = std::array<std::uint8_t, 16>;

// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash", 2012) over the parts, one after the other.
// Thread-safe; allocates once a thread. About 1 GB/s: for headers, not for payloads.
mac_tag keyed_mac(const mac_key& key, std::span<const bytes_view> parts) noexcept;

} // namespace cairn::storage
