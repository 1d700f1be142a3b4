// Everything that changes the metadata, as values. A batch of commands is applied in one durable transaction, and is
// one entry of a cluster's log; applying is deterministic (times and random numbers travel in the command). Encoded as:
// feature level (u8), kind (u8), fields (commands.cpp). A command is written with the lowest level that knows it; one
// of a higher level than this build's stops the node (errc::unsupported): it is never skipped.
#pragma once

#include "storage/metadata/commands/cluster_commands.hpp"
#include "storage/metadata/commands/command_parts.hpp"
#include "storage/metadata/commands/key_commands.hpp"
#include "storage/metadata/commands/object_commands.hpp"
#include "storage/metadata/rows/rows.hpp"

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace cairn::storage::metadata {

// 1: one node. 2: membership, placement, repairs. 3: uploads, copies, tags, held deletions. 4: access keys.
// 5: versions of objects, lifecycle rules, lost chunks. 6: more conditions, tags of buckets, objects that are private
// in public buckets, checksums of parts. 7: stamps of buckets' commands; a commit counts the quorum of the owners at
// its own time; a partition moves when the owners that stay have made up, too, for what they missed. 8: members report
// that their metadata has failed; the index of a read comes with its leader's term; clients' commands say what they are
// allowed by; buckets are made with an access control list, tags and an ownership at once;
// invitations of nodes, at most members_max members.
constexpr std::uint8_t feature_level = 8;

// Begins a writer session for a gateway; earlier sessions of the same node with another incarnation end, their
// uncommitted blobs are dead; those of other nodes go on. Answers the session id (command_result::version); while the
// session lives, the same again for the same incarnation. session_ended: the node was removed from the cluster.
struct begin_session {
  uuid node{};
  std::uint64_t incarnation = 0;
};
struct end_session { // not_found; ending twice succeeds
  session_id session = 0;
};

// What a bucket is made with, beside its name.
struct bucket_settings {
  bool public_read = false, public_write = false; // public_write: only beside public_read
  std::vector<std::pair<std::string, std::string>> tags;
  std::uint8_t ownership = 0;
  bool again = false; // who may change a bucket that is there already resets its access control list to this one
  bool said() const { return public_read || public_write || !tags.empty() || ownership != 0 || again; }
};

// Commands with an authority may be refused with access_denied, no_such_access_key and no_such_bucket besides
// (authority.hpp).
//
// bucket_exists: also again, with other tags or another ownership than it has; access_denied: again, by an access key
// that does not own it; no_such_access_key, acl_not_supported.
struct create_bucket {
  std::string name;
  wall_ms now = 0;
  std::string owner;    // the access key that gets all rights on it; empty: none
  commit_stamp stamp{}; // of no session: none
  authority by{};
  bucket_settings settings{};
};
struct delete_bucket { // no_such_bucket, bucket_not_empty
  std::string name;
  commit_stamp stamp{}; // of no session: none
  authority by{};
};

// no_such_bucket, precondition_failed, session_ended, blob_dead, no_quorum (owners changed, and the present ones lack
// chunks: to be written again), invalid_argument (name, key, sizes, a blob of another
// session, a sequence below acknowledged_below, unconfirmed chunks that can't be). A refused command's blob is buried,
// unless it was committed before or belongs to another session.
struct put_object {
  commit_stamp stamp;
  std::string bucket, key;
  wall_ms now = 0;
  std::uint64_t size = 0;
  metadata::etag etag;
  object_headers headers;
  written_content content; // inline bytes, or a blob
  write_condition condition;
  object_extras extras;
  authority by{};
};

// Deleting what is not there succeeds, as S3 wants. Without a version: in a bucket that is or was versioned a delete
// marker becomes the newest version. With one: that version goes for good; the condition is about it.
// no_such_bucket, precondition_failed.
struct delete_object {
  commit_stamp stamp;
  std::string bucket, key;
  wall_ms now = 0;
  write_condition condition;
  std::optional<version_id> version;
  std::optional<version_place> expected; // of what is deleted, the live version without `version`: else stale_source
  std::optional<removal_condition> only_if;
  authority by{};
};

// An upload failed or was cancelled: its blob is dead, commits that name it are refused, its chunks may be deleted.
// Succeeds without effect when the blob was committed before. session_ended (the log has not seen the session),
// invalid_argument (another session's blob).
struct abandon_blob {
  session_id session = 0;
  blob_id blob;
  std::uint32_t chunks = 0; // chunk indexes that may exist: [0, chunks)
};

// The reaper deleted the chunks of these buried blobs everywhere: forget them.
struct reap {
  std::vector<buried_blob> blobs;
};

// Frees at most parts_max parts of manifests without references and rows that ended sessions left behind (a background
// command; 10,000 parts are freed in steps).
struct free_manifests {
  std::uint32_t parts_max = 1000;
  log_index released_up_to = ~log_index{0}; // spares manifests that lost their last reference later: a running read may
};                                          // still need their further parts

using command =
    std::variant<begin_session, end_session, create_bucket, delete_bucket, put_object, delete_object, abandon_blob,
                 reap, free_manifests, create_cluster, add_node, set_node, remove_node, set_targets, moved,
                 confirm_replicas, note_down, note_up, acknowledge_epoch, begin_upload, put_part, copy_part,
                 complete_upload, abort_upload, copy_object, set_extras, set_bucket, hold_deletions, create_key,
                 delete_key, change_key, raise_feature_level, give_up_chunks, invite_node>;

// The lowest level that knows this command.
std::uint8_t level_of(const command& c);
// Every member of a cluster knows the commands up to this one; of later ones, those up to what the log says.
constexpr std::uint8_t feature_level_of_clusters = 4;
constexpr std::uint8_t feature_level_of_whole_moves = 7, feature_level_of_stamped_buckets = 7,
                       feature_level_of_counted_commits = 7, feature_level_of_reported_faults = 8,
                       feature_level_of_read_terms = 8, feature_level_of_authority = 8,
                       feature_level_of_invitations = 8;

std::string encode(const command& c);
result<command> decode_command(std::string_view bytes); // corrupt, unsupported

std::string encode(std::span<const command> batch); // a log entry: count, then each command with its length
result<std::vector<command>> decode_batch(std::string_view bytes);

// A refused command is not an error of the state machine: it is its answer.
struct command_result {
  log_index version = 0;        // put_object, delete_object, copies: of the new version; begin_session, begin_upload:
                                // the id; cluster_commands.hpp: the epoch
  std::uint64_t more = 0;       // free_manifests: 0 when all that may be freed was, else how many still wait;
                                // add_node: the number; moved: partitions passed over; those that make or remove
                                // versions of objects: see told_version
  std::optional<error> refused; // not the first member: C++20 would take a result<command_result>'s error for it
};

// What put_object, complete_upload, copy_object and delete_object say about the version that they made or removed.
struct told_version {
  std::optional<version_id> id; // nothing: the bucket never was versioned
  bool delete_marker = false;
};
std::uint64_t encode_told(const object_row& row, bool versioned); // into command_result::more
told_version told(const command_result& r);

std::string encode(const command_result& r); // the rows of `outcomes`
result<command_result> decode_result(std::string_view bytes);

} // namespace cairn::storage::metadata
