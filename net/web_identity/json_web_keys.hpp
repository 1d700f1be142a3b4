// The keys with which an issuer signs its tokens, from its JSON Web Key Set, and the check of such a signature. Keys of
// RSA (2048 to 8192 bits) and of the curves P-256, P-384 and P-521; what a set has besides is skipped. Sources: RFC
// 7515 (signatures), 7517 (key sets), 7518 (algorithms). OpenSSL checks the signatures; which algorithm, key and length
// may be used is decided before. Thread-safe once read.
#pragma once

#include "base/error.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;

namespace cairn::net {

// Which key has signed a token, as the token's header says.
struct signature_header {
  std::string algorithm;
  std::string key_id; // empty: it does not say
};

// RS256, PS384, ES512 and so on. Neither `none` nor secrets that the issuer would share (HS256).
bool is_signature_algorithm(std::string_view name);

enum class key_kind : std::uint8_t { rsa, p256, p384, p521 };

struct json_web_key {
  std::string id;        // may be empty
  std::string algorithm; // the only one that it may be used with; empty: any of its kind
  key_kind kind{};
  std::size_t signature_bytes = 0;
  std::shared_ptr<evp_pkey_st> handle; // OpenSSL's
};

class json_web_keys {
public:
  static constexpr std::size_t bytes_max = 256 << 10, keys_max = 64;
  // invalid_argument: no key set, too large, or too many keys.
  static result<json_web_keys> read(std::string_view json);

  // Null: no key of the set fits, or the header has no key id and several do.
  const json_web_key* find(const signature_header& wanted) const;
  std::size_t size() const { return keys_.size(); }

private:
  std::vector<json_web_key> keys_;
};

// Whether the key has signed the token, in compact form, whose header is `header`. About 30 µs, of a large key up to
// 2 ms: too long for a socket thread.
bool has_signed(const json_web_key& key, const signature_header& header, std::string_view token);

} // namespace cairn::net
