// What a client's command is allowed by. A gateway judges a request by its head, and the command may come hours later,
// when the body is whole. So the command carries what that decision rested on, and it is judged again, by the rows of
// that moment, where it is applied: a key that was deleted, a right that was taken away, a bucket that is not public
// any more or that is another one of the same name end the request. Pure decisions over rows.
#pragma once

#include "storage/metadata/rows/key_rows.hpp"

#include <optional>
#include <string>

namespace cairn::storage::metadata {

enum class allowed_by : std::uint8_t {
  internal,      // a command of the cluster itself, or of a client in a log below feature level 8
  configuration, // the root key or auth.anonymous: settings of the gateway, which is taken at its word
  key,           // an access key's rights
  anybody,       // the bucket is public
};

struct authority {
  allowed_by by = allowed_by::internal;
  std::string key;         // access key that signed the request; empty: the root key, or nobody
  std::uint8_t rights = 0; // of allowed_by::key: all of these, on the bucket
  bucket_id bucket = 0;    // that was judged; 0: whichever has the name
  bucket_id source = 0;    // of a copy: the source's bucket likewise

  bool said() const { return by != allowed_by::internal || bucket != 0; }
  friend bool operator==(const authority&, const authority&) = default;
};

// Why the command may not be applied, with the rows as they are now; null: there is none.
// no_such_access_key, no_such_bucket, access_denied.
std::optional<error> lapsed(const authority& a, const access_key_row* key, const bucket_row* bucket);
// The same of the bucket that a copy reads.
std::optional<error> source_lapsed(const authority& a, const access_key_row* key, const bucket_row* source);
// The same of making a bucket.
std::optional<error> creation_lapsed(const authority& a, const access_key_row* key);

//   authority  by:u8 key:s rights:u8 bucket:v source:v
void write_authority(byte_writer& w, const authority& a);
authority read_authority(byte_reader& r);

} // namespace cairn::storage::metadata
