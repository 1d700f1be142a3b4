// The commands about access keys (part of the variant in commands.hpp; feature level 4; sealed secrets: 14). All
// carry a stamp. Any of them may be refused with session_ended and invalid_argument. The sender seals: members store
// what they are given.
#pragma once

#include "storage/metadata/commands/command_parts.hpp"
#include "storage/metadata/rows/key_rows.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn::storage::metadata {

// invalid_argument: the id exists, or a text is out of its bounds; too_large: there are access_keys_max keys.
struct create_key {
  commit_stamp stamp;
  std::string id, secret, label;
  wall_ms now = 0;
  bool creates_buckets = false;
  bool sealed = false; // the secret
};

struct delete_key { // no_such_access_key
  commit_stamp stamp;
  std::string id;
};

// Grants and revokes rights on a bucket, if one is named, and the right to create buckets, if that is given.
// no_such_access_key, no_such_bucket; too_large: the key has key_grants_max grants.
struct change_key {
  commit_stamp stamp;
  std::string id, bucket;               // bucket: empty if none
  std::uint8_t allowed = 0, denied = 0; // rights to grant and to revoke; revoking has priority
  std::optional<bool> creates_buckets;
};

// Replaces the secrets of keys by the same ones, sealed. A key that is not there any more is skipped.
// command_result::more: the number of keys that have been changed.
struct seal_keys {
  struct sealed_secret {
    std::string id, secret;
  };
  commit_stamp stamp;
  std::vector<sealed_secret> keys; // at most sealed_keys_max
};
constexpr std::size_t sealed_keys_max = 500;

// Encodings of the fields, called by commands.cpp.
void write(byte_writer& w, const create_key& c);
void write(byte_writer& w, const delete_key& c);
void write(byte_writer& w, const change_key& c);
void write(byte_writer& w, const seal_keys& c);
void read(byte_reader& r, create_key& c);
void read(byte_reader& r, delete_key& c);
void read(byte_reader& r, change_key& c);
void read(byte_reader& r, seal_keys& c);

} // namespace cairn::storage::metadata
