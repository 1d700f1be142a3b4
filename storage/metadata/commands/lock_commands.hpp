// The commands of object lock (part of the variant in commands.hpp; feature level 11).
#pragma once

#include "storage/metadata/commands/command_parts.hpp"

namespace cairn::storage::metadata {

// Changes the lock of a version. no_such_bucket, no_object_lock, no_such_key, no_such_version, delete_marker;
// access_denied: the present retention does not allow it (may_replace).
struct set_object_lock {
  commit_stamp stamp;
  std::string bucket, key;
  wall_ms now = 0;
  std::optional<version_id> version; // nullopt: the live version
  std::optional<retention> retained; // mode none removes it
  std::optional<legal_hold> hold;    // on or off
  bool bypasses_governance = false;  // if the requester has the right to
  authority by{};
};

// Enables object lock of a bucket, and replaces its default retention. no_such_bucket; invalid_bucket_state: the bucket
// is not versioned.
struct set_bucket_lock {
  commit_stamp stamp;
  std::string name;
  bucket_lock lock{.enabled = true};
  authority by{};
};

// The clocks of a majority of the cluster's voters have reached this time: the lock time goes up to it, never back. Of
// the leader; a standalone node takes the time of the commands that are judged by it.
struct advance_lock_time {
  wall_ms time = 0;
};

// Encodings of the fields, called by commands.cpp.
void write(byte_writer& w, const set_object_lock& c);
void write(byte_writer& w, const set_bucket_lock& c);
void write(byte_writer& w, const advance_lock_time& c);
void read(byte_reader& r, set_object_lock& c);
void read(byte_reader& r, set_bucket_lock& c);
void read(byte_reader& r, advance_lock_time& c);

} // namespace cairn::storage::metadata
