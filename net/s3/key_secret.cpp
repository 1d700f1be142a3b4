#include "net/s3/key_secret.hpp"

namespace cairn::net {

result<std::string> clear_secret(const storage::metadata::access_key_row& key, const secrets::key_ring* keys) {
  if (!key.sealed) return key.secret;
  const auto id = secrets::key_id_of(key.secret);
  if (keys == nullptr || !keys->has(id))
    return error{errc::secret_sealed, "the secret of " + key.id + " is sealed with the key " + id +
                                          ", which this node does not have (auth.sealing_key_file)"};
  auto secret = keys->open(key.secret, key.id);
  if (!secret) return error{errc::secret_sealed, "the secret of " + key.id + ": " + secret.error().text};
  return secret;
}

stored_secret secret_to_store(const std::string& secret, const std::string& id, const secrets::key_ring* keys,
                              random_source& random) {
  if (keys == nullptr) return {secret, false};
  return {keys->seal(secret, id, random), true};
}

} // namespace cairn::net
