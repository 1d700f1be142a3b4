// The command about users, groups, roles, managed policies, identity providers and the access keys of users (part of
// the variant in commands.hpp; feature level 13, about roles 14, about web identities 15, about tags of sessions and
// identity providers 16): one of IAM's actions that change something.
// Carries a stamp and an authority, which is judged again where the command is applied. May be refused with
// session_ended and with
//   no_such_identity   what the action is about does not exist
//   identity_exists    the name is taken
//   identity_in_use    what refers to it must be removed first (IAM's DeleteConflict)
//   too_large          one of IAM's limits (identity_rows.hpp)
//   invalid_argument   a name, path, document or tag that is none
//   access_denied, no_such_access_key
#pragma once

#include "storage/metadata/commands/command_parts.hpp"
#include "storage/metadata/rows/identity_rows.hpp"

namespace cairn::storage::metadata {

struct change_identity {
  commit_stamp stamp;
  policy::action what{}; // an action of IAM that changes something
  wall_ms now = 0;
  std::string name;  // of the user, group, role, managed policy or identity provider
  std::string other; // the second one: a group, a policy, an access key's id; of UpdateUser: the new name
  std::string id;    // of what is created; of UpdateUser: not empty: the path is replaced, too
  std::string path = "/";
  std::string text;          // a document, a description, an access key's secret
  std::string description{}; // of a managed policy or a role
  std::uint32_t version = 0; // of a managed policy; of a role: seconds; 0: as it is
  // An access key is active; a version becomes the default; of CreateAccessKey: the secret is sealed (feature level
  // 14); of UpdateRole: the description is replaced.
  bool on = false;
  std::vector<std::pair<std::string, std::string>> tags; // of a user, role or provider; to remove: the values are empty
  std::vector<std::string> client_ids{}, thumbprints{};  // of an identity provider; to add, to remove, or all
  authority by{};
};

// Adds a key that seals the tokens of temporary credentials, if the last one is not there or too old; else without
// effect (feature level 14). invalid_argument, session_ended.
struct renew_token_key {
  commit_stamp stamp;
  wall_ms now = 0;
  std::string key; // token_key_bytes
};

// Whether the command may hold this action.
bool changes_identities(policy::action what);
// The feature level below which builds do not know the action, or refuse the document that it puts.
std::uint8_t identity_level(const change_identity& c);

// Encodings of the fields, called by commands.cpp.
void write(byte_writer& w, const change_identity& c);
void write(byte_writer& w, const renew_token_key& c);
void read(byte_reader& r, change_identity& c);
void read(byte_reader& r, renew_token_key& c);

} // namespace cairn::storage::metadata
