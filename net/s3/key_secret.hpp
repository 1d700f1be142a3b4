// The secret of an access key as signatures need it. Opened for each request: a clear secret is kept nowhere but in the
// cache of signing keys (auth/sigv4.hpp).
#pragma once

#include "base/secrets/key_ring.hpp"
#include "storage/metadata/rows/key_rows.hpp"

namespace cairn::net {

// `keys`: null if the node has none. secret_sealed: sealed with a key that is not among them, or damaged; the text is
// for the log.
result<std::string> clear_secret(const storage::metadata::access_key_row& key, const secrets::key_ring* keys);

struct stored_secret {
  std::string text;
  bool sealed = false;
};
// As the metadata keep the secret of the access key `id`: sealed if the node has keys.
stored_secret secret_to_store(const std::string& secret, const std::string& id, const secrets::key_ring* keys,
                              random_source& random);

} // namespace cairn::net
