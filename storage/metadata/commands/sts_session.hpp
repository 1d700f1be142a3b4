// Temporary credentials of STS: a role in a session, or a user for a time. Nothing is stored about them: their token
// contains, sealed, to whom they belong, and the gateway that takes a request opens it with a key of the metadata. The
// commands of such a request carry what the token said, and whether the role or the user still is there, and what it
// may do, is read anew where they are applied. Pure.
//
//   token    sealed text of contents               (base/secrets/sealing.hpp; bound to the access key's id)
//   contents 1 secret:s session
//            2 secret:s session tags               if there are any (feature level 16)
//   session  of_role:u8 name:s id:s session:s issued:u64 expires:u64 policy:s
//   tags     count:v (key:s value:s transitive:u8)*
#pragma once

#include "base/codec.hpp"
#include "base/error.hpp"
#include "base/seams.hpp"
#include "base/secrets/key_ring.hpp"
#include "storage/metadata/rows/identity_rows.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cairn::storage::metadata {

struct session_tag {
  std::string key, value;
  bool transitive = false; // the sessions that this one assumes have it, too
  friend bool operator==(const session_tag&, const session_tag&) = default;
};
using session_tags = std::vector<session_tag>;

struct sts_session {
  bool of_role = false;
  std::string name, id; // of the role or the user: of another one of the same name the session is none
  std::string session;  // its name, of a role
  wall_ms issued = 0, expires = 0;
  std::string policy;  // the session policy, which limits the rights; empty: none
  session_tags tags{}; // of a role
  friend bool operator==(const sts_session&, const sts_session&) = default;
};

// AWS's limits; session_packed_bytes_max, of the policy and the tags together, is Cairn's. A session policy has no
// white space between tokens.
constexpr std::size_t session_policy_bytes_max = 2048, session_name_bytes_min = 2, session_name_bytes_max = 64,
                      session_tags_max = 50, session_packed_bytes_max = 5 * 1024,
                      token_bytes_max = 6 * 1024; // before base64, with which a token has at most 8 KiB
constexpr std::uint32_t session_seconds_min = 900, user_session_seconds_max = 36 * 3600;
constexpr std::string_view temporary_key_prefix = "ASIA"; // of ids of access keys

bool valid_session_name(std::string_view name);

// A key has 1 to 128 characters and does not begin with "aws:", a value has at most 256: letters, digits, spaces and
// _.:/=+-@, of ASCII; of others all.
bool valid_session_tag(std::string_view key, std::string_view value);
// The tag of this key, whatever its case; null: there is none.
const session_tag* find_tag(const session_tags& tags, std::string_view key);
std::size_t packed_bytes(std::string_view policy, const session_tags& tags);
// Puts a session's tags in place of its role's. Tags of the role whose keys differ in case only get the value, too, so
// that the policies that name them read what the session's says.
void override_tags(policy::tag_pairs& of_role, const session_tags& by);

// `with_tags`: in the form that has tags, also if there are none.
void write_session(byte_writer& w, const sts_session& s, bool with_tags);
sts_session read_session(byte_reader& r, bool with_tags);

// What a token contains.
struct opened_token {
  std::string secret;
  sts_session session;
  friend bool operator==(const opened_token&, const opened_token&) = default;
};
constexpr std::size_t token_nonce_bytes = 12;
// `key`: of token_keys. `sealing`: the node's sealing keys; null: none. Nonces are random. secret_sealed: the key is
// sealed with one that the node does not have.
result<std::string> seal_token(const token_key& key, const secrets::key_ring* sealing, std::string_view access_key,
                               const opened_token& contents, std::span<const std::byte, token_nonce_bytes> nonce);
// access_denied: no token of these keys, or one of another access key; secret_sealed: perhaps one of a key that the
// node cannot open. An expired token opens.
result<opened_token> open_token(const token_keys& keys, const secrets::key_ring* sealing, std::string_view access_key,
                                std::string_view token);

// What is stored of a new key, of 32 bytes.
std::string stored_token_key(std::string bytes, const secrets::key_ring* sealing, random_source& random);
// Whether a new key must be made before a token is sealed: there is none, the newest is old, or it is in clear, or
// sealed with a key that the node does not have any more.
bool wants_token_key(const token_keys& keys, const secrets::key_ring* sealing, wall_ms now);
// Adds the stored key if one may be wanted, and removes those whose tokens have all expired. False: nothing was
// changed.
bool add_token_key(token_keys& keys, std::string bytes, wall_ms now);

} // namespace cairn::storage::metadata
