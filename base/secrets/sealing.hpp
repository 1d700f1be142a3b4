// Short secrets sealed with a key that is kept apart from them: AES-256-GCM (NIST SP 800-38D) by OpenSSL. A sealed text
// is bound to what it belongs to (additional authenticated data, which it does not contain), so that it can't be put in
// another place. Grammar:
//
//   sealed = version:1 (1) key_id:4 nonce:12 ciphertext tag:16      sealing_overhead_bytes more than the secret
//   key_id = the first four bytes of the key's SHA-256
//
// Pure; thread-safe. Errors: invalid_argument (not a key); not_found (sealed with another key); corrupt (not a sealed
// text, changed, or bound to something else). An OpenSSL without the algorithm fails an assert.
#pragma once

#include "base/error.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cairn::secrets {

constexpr std::size_t key_bytes = 32, nonce_bytes = 12, sealing_overhead_bytes = 33;

// 32 random bytes, wiped when the object ends.
class sealing_key {
public:
  explicit sealing_key(std::span<const std::byte, key_bytes> bytes);
  sealing_key(const sealing_key&) = default;
  sealing_key& operator=(const sealing_key&) = default;
  ~sealing_key();

  // 64 hexadecimal digits, or 44 characters of base64 (RFC 4648). invalid_argument, whose text does not show the key.
  static result<sealing_key> read(std::string_view text);

  std::string id() const; // 8 hexadecimal digits; tells nothing of the key
  std::span<const std::byte, key_bytes> bytes() const { return bytes_; }

private:
  std::array<std::byte, key_bytes> bytes_;
};

// No nonce may be used twice with a key: 96 random bits, for less than 2^32 secrets.
std::string seal(const sealing_key& key, std::string_view plain, std::string_view bound_to,
                 std::span<const std::byte, nonce_bytes> nonce);
result<std::string> open(const sealing_key& key, std::string_view sealed, std::string_view bound_to);

// The id of the key that a text was sealed with; empty: not a sealed text.
std::string key_id_of(std::string_view sealed);

} // namespace cairn::secrets
