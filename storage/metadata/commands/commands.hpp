// All changes of the metadata, as plain values. A batch of commands is applied in one durable transaction, and is one
// entry of a cluster's log. Applying is deterministic: commands carry times and random numbers. Encoding: feature level
// (u8), kind (u8), fields (commands.cpp). A command is encoded with the lowest level that knows it. A command of a
// higher level than this build's stops the node (errc::unsupported); it is never skipped.
#pragma once

#include "storage/metadata/commands/cluster_commands.hpp"
#include "storage/metadata/commands/command_parts.hpp"
#include "storage/metadata/commands/identity_commands.hpp"
#include "storage/metadata/commands/key_commands.hpp"
#include "storage/metadata/commands/lock_commands.hpp"
#include "storage/metadata/commands/object_commands.hpp"
#include "storage/metadata/rows/rows.hpp"

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace cairn::storage::metadata {

// 1: one node. 2: membership, placement, repairs. 3: multipart uploads, copies, tags, held deletions. 4: access keys.
// 5: versions of objects, lifecycle rules, lost chunks. 6: more conditions, tags of buckets, private objects in public
// buckets, checksums of parts. 7: stamps of bucket commands; a commit counts the quorum of the owners at its own time;
// a move is finished only when the remaining owners have no open repairs either. 8: members report that their metadata
// has failed; the index of a read comes with its leader's term; clients' commands carry their authorization; buckets
// are created with an access control list, tags and an ownership; invitations of nodes, at most members_max members.
// 9: policies of buckets, public access blocks. 10: the completion of an upload is judged by the upload's access list.
// 11: object lock. 12: what buckets hold is counted. 13: quotas of buckets; an object keeps which upload made it;
// users, groups, managed policies. 14: secrets of access keys may be sealed; roles, temporary credentials. 15: grants
// of access control lists; policies about web identities. 16: tags of sessions; identity providers; writers of objects
// may own them; owners of buckets, and their quotas. 17: renames of objects.
constexpr std::uint8_t feature_level = 17;

// Begins a writer session of a node. An earlier session of the same node with another incarnation ends, and its
// uncommitted blobs are dead. Returns the session id (command_result::version); repeated with the same incarnation it
// returns the same id as long as the session is live. precondition_failed: the incarnation is older than the recorded
// one. session_ended: the node was removed from the cluster.
struct begin_session {
  uuid node{};
  std::uint64_t incarnation = 0;
};
struct end_session { // not_found; succeeds if it has already ended
  session_id session = 0;
};

// The settings with which a bucket is created.
struct bucket_settings {
  bool public_read = false, public_write = false; // public_write requires public_read
  std::vector<std::pair<std::string, std::string>> tags;
  std::uint8_t ownership = 0;
  bool again = false; // if the requester owns a bucket of this name, its access control list is reset to this one
  bool lock = false;  // with object lock, and so versioned
  std::optional<policy::acl_grants> grants{}; // the list, if public_read and public_write, then false, cannot say it
  bool has_list() const { return public_read || grants.has_value(); } // other than private
  bool is_given() const { return has_list() || public_write || !tags.empty() || ownership != 0 || again || lock; }
};

// Commands with an authority may also be refused with access_denied, no_such_access_key and no_such_bucket
// (authority.hpp).
//
// From feature level 16 on the bucket's owner (usage_rows.hpp) is the sender, or else the access key `owner`.
// bucket_exists: also with `again`, if the tags, the ownership or the object lock differ; access_denied: with `again`,
// the access key does not own the bucket; no_such_access_key, acl_not_supported.
struct create_bucket {
  std::string name;
  wall_ms now = 0;
  std::string owner;    // the access key that gets all rights on it; empty: none
  commit_stamp stamp{}; // session 0: no stamp
  authority by{};
  bucket_settings settings{};
};
struct delete_bucket { // no_such_bucket, bucket_not_empty
  std::string name;
  commit_stamp stamp{}; // session 0: no stamp
  authority by{};
};

// no_such_bucket, precondition_failed, session_ended, blob_dead, no_quorum (owners have changed, and the present ones
// lack chunks: the object must be written again), acl_not_supported, no_object_lock, quota_exceeded, invalid_argument
// (name, key, sizes, a blob of another session, a sequence below acknowledged_below, an invalid list of unconfirmed
// chunks). The blob of a refused command is buried, unless it was committed before or belongs to another session.
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

// Deletes an object; succeeds if it does not exist, as in S3. Without `version`: in a bucket that is or was versioned,
// a delete marker becomes the newest version. With `version`: deletes that version permanently, and the condition
// applies to it; access_denied: object lock protects it. no_such_bucket, precondition_failed, stale_source
// (`expected`).
struct delete_object {
  commit_stamp stamp;
  std::string bucket, key;
  wall_ms now = 0;
  write_condition condition;
  std::optional<version_id> version;
  std::optional<version_place> expected; // of the version that is deleted; without `version`: of the live version
  std::optional<removal_condition> only_if;
  authority by{};
  bool bypasses_governance = false; // if the requester has the right to
};

// An upload failed or was cancelled: its blob is dead, commits that name it are refused, and its chunks may be deleted.
// Succeeds without effect if the blob was committed. session_ended (the session is not known), invalid_argument (a blob
// of another session).
struct abandon_blob {
  session_id session = 0;
  blob_id blob;
  std::uint32_t chunks = 0; // chunk indexes that may exist: [0, chunks)
};

// The reaper has deleted the chunks of these buried blobs on all nodes: remove their rows.
struct reap {
  std::vector<buried_blob> blobs;
};

// Frees parts of manifests without references, parts of closed uploads, and rows of ended sessions; at most parts_max
// rows (a background command, so that 10,000 parts are freed in steps).
struct free_manifests {
  std::uint32_t parts_max = 1000;
  // Frees only what was released up to this index: a running read may still need further parts of a later manifest.
  log_index released_up_to = ~log_index{0};
};

// Counts rows of a state that was made by builds that do not count (apply/usage.hpp): a background command, in steps.
struct count_usage {
  std::uint32_t rows_max = 1000;
};

using command_kind =
    std::variant<begin_session, end_session, create_bucket, delete_bucket, put_object, delete_object, abandon_blob,
                 reap, free_manifests, create_cluster, add_node, set_node, remove_node, set_targets, moved,
                 confirm_replicas, note_down, note_up, acknowledge_epoch, begin_upload, put_part, copy_part,
                 complete_upload, abort_upload, copy_object, set_extras, set_bucket, hold_deletions, create_key,
                 delete_key, change_key, raise_feature_level, give_up_chunks, invite_node, set_bucket_access,
                 set_object_lock, set_bucket_lock, advance_lock_time, count_usage, set_bucket_quota, change_identity,
                 seal_keys, renew_token_key, set_user_quota, set_bucket_owner, rename_object>;

// Copied, moved and destroyed in one place: every file that does it would compile a case for each kind.
struct command : command_kind {
  using command_kind::command_kind;
  command();
  command(const command& other);
  command(command&& other) noexcept;
  command& operator=(const command& other);
  command& operator=(command&& other) noexcept;
  ~command();
};

// The lowest level that knows this command.
std::uint8_t level_of(const command& c);
// Every member of a cluster knows the commands up to this level. Commands of later levels may be used up to the level
// that raise_feature_level has set.
constexpr std::uint8_t feature_level_of_clusters = 4;
constexpr std::uint8_t feature_level_of_whole_moves = 7, feature_level_of_stamped_buckets = 7,
                       feature_level_of_counted_commits = 7, feature_level_of_reported_faults = 8,
                       feature_level_of_read_terms = 8, feature_level_of_authority = 8,
                       feature_level_of_invitations = 8, feature_level_of_policies = 9,
                       feature_level_of_judged_uploads = 10, feature_level_of_object_lock = 11,
                       feature_level_of_usage = 12, feature_level_of_quotas = 13, feature_level_of_upload_origins = 13,
                       feature_level_of_judged_settings = 13, feature_level_of_ownership = 13,
                       feature_level_of_identities = 13, feature_level_of_sealed_secrets = 14,
                       feature_level_of_sessions = 14, feature_level_of_acl_grants = 15,
                       feature_level_of_session_tags = 16, feature_level_of_object_owners = 16,
                       feature_level_of_user_quotas = 16, feature_level_of_renames = 17;

std::string encode(const command& c);
result<command> decode_command(std::string_view bytes); // corrupt, unsupported

std::string encode(std::span<const command> batch); // a log entry: count, then each command with its length
result<std::vector<command>> decode_batch(std::string_view bytes);

// The result of a command. A refusal is a result, not an error of the state machine.
struct command_result {
  log_index version = 0;        // put_object, delete_object, copies: of the new version; set_extras: of the changed
                                // one; begin_session, begin_upload: the id; cluster_commands.hpp: the epoch
  std::uint64_t more = 0;       // free_manifests: the number of entries that still wait, 0 if none may be freed;
                                // count_usage: 1 if there are more rows to count;
                                // change_identity: the number of a policy's new version;
                                // seal_keys: the number of changed keys;
                                // add_node: the node number; moved: partitions skipped; commands that make or remove
                                // versions of objects: see version_outcome
  std::optional<error> refused; // not the first member: the error of a result<command_result> would convert to it
};

// The version that put_object, complete_upload, copy_object or delete_object made or removed.
struct version_outcome {
  std::optional<version_id> id; // nullopt: the bucket never was versioned
  bool delete_marker = false;
};
std::uint64_t encode_version_outcome(const object_row& row, bool versioned); // into command_result::more
version_outcome version_outcome_of(const command_result& r);

std::string encode(const command_result& r); // a row of `outcomes`
result<command_result> decode_result(std::string_view bytes);

} // namespace cairn::storage::metadata
