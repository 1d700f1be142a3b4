// Users, groups, roles, managed policies and identity providers, as AWS's IAM has them, and the keys that seal the
// tokens of temporary credentials. A user's row has all that is its own: its groups, policies and keys. Names are
// unique without regard to case. Encodings (grammar: identity_rows.cpp) have a version byte; errors as in rows.hpp.
#pragma once

#include "storage/metadata/rows/key_rows.hpp"
#include "storage/policy/request.hpp"

namespace cairn::storage::metadata {

struct named_policy {
  std::string name, text;
  friend bool operator==(const named_policy&, const named_policy&) = default;
};

// The policies of a user or a group.
struct held_policies {
  std::vector<std::string> attached;     // names of managed policies, in ascending order
  std::vector<named_policy> own;         // inline policies, in ascending order of their names
  std::size_t own_bytes() const;         // of their texts
  bool has(std::string_view name) const; // whether the managed policy is attached
  friend bool operator==(const held_policies&, const held_policies&) = default;
};

struct user_row {
  policy::user_facts who;
  wall_ms created = 0;
  held_policies policies;
  std::vector<std::string> groups; // names, in ascending order
  std::vector<std::string> keys;   // ids of access keys, in the order in which they were created
  friend bool operator==(const user_row&, const user_row&) = default;
};

struct group_row {
  std::string name, id, path = "/";
  wall_ms created = 0;
  held_policies policies;
  std::uint32_t members = 0;
  friend bool operator==(const group_row&, const group_row&) = default;
};

struct role_row {
  policy::user_facts who; // without a session
  wall_ms created = 0;
  std::string description, trust; // trust: the policy that says who may assume the role
  std::uint32_t session_seconds_max = 3600;
  held_policies policies;
  friend bool operator==(const role_row&, const role_row&) = default;
};

// An issuer of web identities (OpenID Connect) that IAM's API made.
struct provider_row {
  std::string name; // "idp.example.org/team": its URL without https://
  wall_ms created = 0;
  std::vector<std::string> client_ids;  // audiences for which its tokens are let in, in the order they were added in
  std::vector<std::string> thumbprints; // SHA-1 of certificates that are trusted beside the system's, in hexadecimal
  policy::tag_pairs tags{};
  friend bool operator==(const provider_row&, const provider_row&) = default;
};

// A key that seals the tokens of temporary credentials.
struct token_key {
  std::string bytes; // 32; or sealed, with a key of the nodes' configuration (base/secrets/sealing.hpp)
  wall_ms created = 0;
  friend bool operator==(const token_key&, const token_key&) = default;
};
using token_keys = std::vector<token_key>; // oldest first: the last one seals, all of them open

struct policy_version {
  std::uint32_t number = 0; // "v1"
  wall_ms created = 0;
  std::string text;
  friend bool operator==(const policy_version&, const policy_version&) = default;
};

struct policy_row {
  std::string name, id, path = "/", description;
  wall_ms created = 0, updated = 0;
  std::uint32_t default_version = 0, last_version = 0; // last_version: the highest number that was assigned
  std::uint32_t attachments = 0;                       // to users, groups and roles
  std::vector<policy_version> versions;                // in ascending order
  const policy_version* find(std::uint32_t number) const;
  friend bool operator==(const policy_row&, const policy_row&) = default;
};

// IAM's limits. Sizes are those of stored texts, which have no white space between tokens.
constexpr std::size_t users_max = 5000, groups_max = 300, roles_max = 1000, managed_policies_max = 1500,
                      groups_of_user_max = 10, attached_policies_max = 10, policy_versions_max = 5,
                      keys_of_user_max = 2, user_tags_max = 50, providers_max = 100, provider_client_ids_max = 100,
                      provider_thumbprints_max = 5;
constexpr std::size_t user_name_bytes_max = 64, identity_name_bytes_max = 128, identity_path_bytes_max = 512,
                      policy_description_bytes_max = 1000, user_policy_bytes_max = 2048, group_policy_bytes_max = 5120,
                      managed_policy_bytes_max = 6144, tag_name_bytes_max = 128, tag_value_bytes_max = 256,
                      role_policy_bytes_max = 10240, trust_policy_bytes_max = 2048, identity_id_bytes_max = 32,
                      client_id_bytes_max = 255, thumbprint_digits = 40;
constexpr std::uint32_t role_session_seconds_least = 3600, role_session_seconds_most = 12 * 3600;
constexpr bool valid_session_time(std::uint32_t seconds) { // MaxSessionDuration
  return seconds >= role_session_seconds_least && seconds <= role_session_seconds_most;
}
constexpr std::size_t token_key_bytes = 32, token_keys_max = 8;
bool valid_token_key(std::string_view bytes);

bool valid_identity_name(std::string_view name, std::size_t bytes_max = identity_name_bytes_max);
bool valid_identity_path(std::string_view path);  // "/", "/division/team/"
std::string identity_key(std::string_view name);  // the name as rows are found by it: in lower case
std::string resource_of(const user_row& row);     // "user/team/ann": an ARN without "arn:aws:iam::ACCOUNT:"
std::string resource_of(const group_row& row);    // "group/readers"
std::string resource_of(const role_row& row);     // "role/backup"
std::string resource_of(const policy_row& row);   // "policy/read-only"
std::string resource_of(const provider_row& row); // "oidc-provider/idp.example.org/team"
bool valid_client_id(std::string_view text);      // without control characters
bool valid_thumbprint(std::string_view text);     // digits and small letters
std::string without_space(std::string_view json); // without the white space between tokens

std::string encode(const user_row& row);
std::string encode(const group_row& row);
std::string encode(const role_row& row);
std::string encode(const policy_row& row);
std::string encode(const provider_row& row);
std::string encode(const token_keys& row);
result<user_row> decode_user(std::string_view bytes);
struct listed_user {
  std::string name, id;
};
result<listed_user> decode_listed_user(std::string_view user_row_bytes); // decodes only the first fields
result<group_row> decode_group(std::string_view bytes);
result<role_row> decode_role(std::string_view bytes);
result<policy_row> decode_managed_policy(std::string_view bytes);
result<provider_row> decode_provider(std::string_view bytes);
result<token_keys> decode_token_keys(std::string_view bytes);

} // namespace cairn::storage::metadata
