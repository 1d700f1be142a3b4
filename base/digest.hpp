// Digests: MD5 for ETags, SHA-256 and HMAC-SHA-256 for signed requests and join tokens, SHA-1 for checksums that
// clients send, HMAC-SHA-1 for their old signatures, SipHash-2-4 as the keyed checksum of on-disk headers. Only
// digest.cpp calls OpenSSL's digest functions, which use the CPU's SHA extensions where available. Out of memory, or an
// OpenSSL build without one of these algorithms, fails an assert and ends the process.
#pragma once

#include "base/file_system.hpp"

#include <array>
#include <cstdint>
#include <memory>

namespace cairn {

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

// Incremental SHA-256 (FIPS 180-4). One thread at a time; movable. finish() also resets the state for the next message.
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

// Incremental SHA-1, for checksums that clients send; it is no protection against an adversary. Same contract as
// sha256.
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
sha1_digest hmac_sha1(bytes_view key, bytes_view message);     // likewise

// The running time does not depend on where the two differ. Different lengths compare unequal at once.
bool equal_in_constant_time(bytes_view a, bytes_view b) noexcept;

using mac_key = std::array<std::uint8_t, 16>;
using mac_tag = std::array<std::uint8_t, 16>;

// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash", 2012) over the concatenated parts. Thread-safe;
// allocates once per thread. About 1 GB/s: for headers, not for payloads.
mac_tag keyed_mac(const mac_key& key, std::span<const bytes_view> parts) noexcept;

} // namespace cairn
