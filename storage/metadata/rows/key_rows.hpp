// Access keys, which sign requests, and the rights of each key on buckets. Encodings (grammar: key_rows.cpp) have a
// version byte; errors as in rows.hpp. Verifying a signature needs the secret: it is stored sealed with a key that is
// not in the metadata (from feature level 14 on), or, on nodes that have none, in clear.
#pragma once

#include "base/secrets/sealing.hpp"
#include "storage/metadata/rows/rows.hpp"

#include <memory>

namespace cairn::storage::metadata {

struct identity; // identity_rows.hpp

// A bit mask of what a key may do with a bucket.
namespace rights {
constexpr std::uint8_t read = 1;  // list it, read its objects
constexpr std::uint8_t write = 2; // put and delete objects
constexpr std::uint8_t owner = 4; // change its settings, remove it
constexpr std::uint8_t all = read | write | owner;
} // namespace rights

struct bucket_grant {
  bucket_id bucket = 0;
  std::uint8_t rights = 0; // not 0
  friend bool operator==(const bucket_grant&, const bucket_grant&) = default;
};

struct access_key_row {
  std::string id;     // as in requests: 1 to 128 of A-Z a-z 0-9 . _ -
  std::string secret; // in clear, or sealed and bound to the id
  std::string label;  // for people
  wall_ms created = 0;
  bool creates_buckets = false;
  std::vector<bucket_grant> grants; // in ascending order of buckets; of a user's key: none
  std::string user{};               // to whom it belongs; empty: to nobody
  bool active = true;               // an inactive key, which only a user can have, signs nothing
  bool sealed = false;              // the secret
  // Of a user's key, where it was read to judge requests: the user and its policies. Not a part of the row.
  std::shared_ptr<const identity> of_user{};
  std::uint8_t rights_on(bucket_id bucket) const;
  friend bool operator==(const access_key_row&, const access_key_row&) = default;
};

constexpr std::size_t access_keys_max = 10'000, key_grants_max = 1000;
constexpr std::size_t access_key_bytes_max = 128, secret_bytes_max = 256, key_label_bytes_max = 128;
constexpr std::size_t sealed_secret_bytes_max = secret_bytes_max + secrets::sealing_overhead_bytes;

bool valid_access_key(std::string_view id);
bool valid_secret(std::string_view secret, bool sealed); // of a sealed one: its form; only its key tells the rest

std::string encode(const access_key_row& row);
result<access_key_row> decode_access_key(std::string_view bytes);

} // namespace cairn::storage::metadata
