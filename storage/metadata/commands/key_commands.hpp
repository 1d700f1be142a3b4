// The commands about access keys (part of the variant in commands.hpp; feature level 4). All carry a stamp.
// session_ended and invalid_argument may refuse any of them.
#pragma once

#include "storage/metadata/commands/command_parts.hpp"
#include "storage/metadata/rows/key_rows.hpp"

namespace cairn::storage::metadata {

// invalid_argument: there is one of this id, or the texts are out of their bounds; too_large: access_keys_max.
struct create_key {
  commit_stamp stamp;
  std::string id, secret, label;
  wall_ms now = 0;
  bool creates_buckets = false;
};

struct delete_key { // no_such_access_key
  commit_stamp stamp;
  std::string id;
};

// Gives and takes rights on a bucket, when one is named, and the right to make buckets, when that is said.
// no_such_access_key, no_such_bucket; too_large: key_grants_max.
struct change_key {
  commit_stamp stamp;
  std::string id, bucket;               // no bucket: empty
  std::uint8_t allowed = 0, denied = 0; // rights; denied ones win
  std::optional<bool> creates_buckets;
};

// Their encodings, called by commands.cpp.
void write(byte_writer& w, const create_key& c);
void write(byte_writer& w, const delete_key& c);
void write(byte_writer& w, const change_key& c);
void read(byte_reader& r, create_key& c);
void read(byte_reader& r, delete_key& c);
void read(byte_reader& r, change_key& c);

} // namespace cairn::storage::metadata
