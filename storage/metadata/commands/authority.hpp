// The authorization of a client's command. A gateway authorizes a request by its head, but the command may follow hours
// later, when the body is complete. So the command carries the basis of that decision, and it is authorized again with
// the rows at the time when it is applied. It is refused if the access key was deleted, a right was revoked, the bucket
// is no longer public, or the bucket was replaced by another one of the same name. Pure functions.
#pragma once

#include "storage/metadata/rows/key_rows.hpp"

#include <optional>
#include <string>

namespace cairn::storage::metadata {

enum class allowed_by : std::uint8_t {
  internal,      // a command of the cluster itself, or a client's command below feature level 8
  configuration, // the root key or auth.anonymous: configuration of the gateway, not checked again
  key,           // an access key's rights
  anybody,       // the bucket is public
};

struct authority {
  allowed_by by = allowed_by::internal;
  std::string key;         // access key that signed the request; empty: the root key, or unsigned
  std::uint8_t rights = 0; // for allowed_by::key: the required rights on the bucket
  bucket_id bucket = 0;    // the bucket that was authorized; 0: any bucket with the name
  bucket_id source = 0;    // of a copy: the source's bucket; 0: any

  bool is_given() const { return by != allowed_by::internal || bucket != 0; }
  friend bool operator==(const authority&, const authority&) = default;
};

// Why the command must be refused: no_such_access_key, no_such_bucket, access_denied. nullopt: it is authorized. `key`
// and `bucket` are the present rows; null if there is none.
std::optional<error> lapsed(const authority& a, const access_key_row* key, const bucket_row* bucket);
// The same check for the bucket that a copy reads.
std::optional<error> source_lapsed(const authority& a, const access_key_row* key, const bucket_row* source);
// The same check for the creation of a bucket.
std::optional<error> creation_lapsed(const authority& a, const access_key_row* key);

//   authority  by:u8 key:s rights:u8 bucket:v source:v
void write_authority(byte_writer& w, const authority& a);
authority read_authority(byte_reader& r);

} // namespace cairn::storage::metadata
