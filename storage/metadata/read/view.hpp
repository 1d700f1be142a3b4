// Reading one group's rows: a snapshot, and the queries and pages of its listings. storage/metadata/store.hpp opens a
// view; snapshot.hpp implements it.
#pragma once

#include "storage/metadata/commands/commands.hpp"
#include "storage/metadata/commands/identity.hpp"
#include "storage/metadata/rows/usage_rows.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn::storage::metadata {

// The result of a request's authorization, which its queries carry.
struct judgement {
  bucket_id bucket = 0; // the authorized bucket: another bucket of the same name is no_such_bucket; 0: any
  // The applied index at which the request was authorized, read after the request arrived: further reads of the request
  // need no newer state. 0: they need a barrier of their own.
  log_index seen = 0;
};

struct listing_query {
  std::string bucket, prefix, delimiter;
  std::string start_after; // keys and common prefixes > this (bytewise)
  // True: if start_after is inside a common prefix, the previous page ended with that prefix, which is not returned
  // again. False: the prefix is returned if one of its keys is > start_after.
  bool passes_group = true;
  std::uint32_t keys_max = 1000;
  judgement judged;
};
struct listed_object {
  std::string key;
  std::uint64_t size = 0;
  metadata::etag etag;
  wall_ms modified = 0;
  std::string owner{}; // as in object_extras
};
struct listing {
  std::vector<listed_object> objects;       // in byte order
  std::vector<std::string> common_prefixes; // in byte order; together at most keys_max
  bool truncated = false;
  std::string last; // the last key or common prefix returned: start_after of the next page
};

struct kept_blob {
  blob_id blob;
  std::uint64_t length = 0;     // bytes
  std::uint32_t chunk_size = 0; // bytes; the last chunk may be shorter
  std::uint32_t chunks = 0;     // indexes [0, chunks)
  bool buried = false;          // no object references it any more, but a running download may read it
  friend bool operator==(const kept_blob&, const kept_blob&) = default;
};
struct kept_blobs {
  std::vector<kept_blob> blobs; // in the order of their ids
  // `after` of the next page; nullopt: this is the last page. A page may be empty and have a next page.
  std::optional<blob_id> next;
};

struct uploads_query {
  std::string bucket, prefix, delimiter;
  std::string key_marker;      // keys and common prefixes > this …
  upload_id upload_marker = 0; // … and, when this is not 0, uploads of key_marker itself that began after this one
  std::uint32_t uploads_max = 1000;
  judgement judged;
  bool skips_damage = false; // passes over damaged rows, as kv_reader::skip_damaged_rows
};
struct listed_upload {
  std::string key;
  upload_id id = 0;
  std::uint64_t nonce = 0;
  wall_ms begun = 0;
  std::string owner{}; // as in object_extras
};
struct uploads_page {
  std::vector<listed_upload> uploads; // by key, then in the order in which they began
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key_marker; // truncated
  upload_id next_upload_marker = 0, next_upload_nonce = 0;
  bool skipped = false; // damaged rows
};

struct versions_query {
  std::string bucket, prefix, delimiter;
  std::string key_marker;                   // keys and common prefixes > this …
  std::optional<version_id> version_marker; // … and, if it is given, versions of key_marker itself after this one
  std::uint32_t versions_max = 1000;
  judgement judged;
  bool skips_damage =
      false; // passes over damaged rows: versions may be missing, and one behind a missing one be latest
};
struct listed_version {
  std::string key;
  version_id id;
  version_place place;
  bool latest = false, delete_marker = false;
  std::uint64_t size = 0;
  metadata::etag etag;
  wall_ms modified = 0;
  std::vector<std::pair<std::string, std::string>> tags;
  object_lock lock{};
  std::string owner{}; // as in object_extras
};
struct versions_page {
  std::vector<listed_version> versions; // by key, newest first
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key_marker; // truncated
  std::optional<version_id> next_version_marker;
  bool skipped = false; // damaged rows
};

// A part of an object that was uploaded as a multipart upload.
struct object_part {
  std::uint32_t number = 1;
  std::uint64_t offset = 0, length = 0;
  std::string checksum{}; // base64, with the algorithm of the object's checksum; empty: not stored
};

// The rows that decide who may join (cluster/admission.hpp).
struct admission_rows {
  wall_ms created = 0;  // time of the cluster's creation
  bool founded = false; // the founding has ended: nodes need an invitation to join
  std::vector<invitation> invitations;
};

// Buckets whose names begin with `prefix` and are > `after`; if `only_of` is given, those on which the key has rights.
struct buckets_query {
  std::string prefix, after;
  std::uint32_t buckets_max = 1000;
  std::shared_ptr<const access_key_row> only_of{};
  bool with_usage = false;
  bool skips_damage = false; // passes over damaged rows
};
struct buckets_page {
  std::vector<listed_bucket> buckets;       // by name
  std::vector<std::optional<usage>> usages; // of each bucket, with `with_usage`; nullopt: it is not counted yet
  std::vector<bucket_quota> quotas;         // of each bucket, with `with_usage`
  std::vector<std::string> owners;          // likewise: a user's name, an access key, or the id of a deleted user
  std::string last;                         // `after` of the next page; an empty page may be truncated
  bool truncated = false;
  bool skipped = false; // damaged rows
};

// What the buckets hold together.
struct usage_totals {
  usage counted;
  bool counts = false;                 // the state counts from its next batch on at the latest
  bool complete = false;               // all buckets are counted
  std::uint64_t owners_near_quota = 0; // hold 90 % or more of what they may
};

// A user or an access key of nobody that owns buckets or has a quota.
struct bucket_owner {
  std::string id;
  std::string name; // of the user, or the access key; empty: it was deleted
  std::uint64_t buckets = 0;
  std::optional<usage> counted{}; // nullopt: not all buckets are counted yet
  bucket_quota quota{};
};

// Rows of one kind, by name (owners: by id): the one of this name, or at most `max` after `after` that meet all other
// conditions. The name of an owner is that of a user, or an access key of nobody.
struct identity_query {
  identity_kind kind = identity_kind::user;
  std::string name;  // empty: all
  std::string after; // names > this, in lower case
  std::uint32_t max = 100;
  std::string path_prefix;
  std::string group;      // users in this group
  std::string access_key; // the user to whom it belongs
  std::string policy;     // users, groups or roles to which this managed policy is attached
  bool attached = false;  // policies that are attached to something
};
// Rows of all names are without tags, texts of inline policies, and versions of managed ones.
struct identity_page {
  std::vector<user_row> users;
  std::vector<group_row> groups; // of a user that was asked for: those that it is in
  std::vector<role_row> roles;
  std::vector<policy_row> policies; // of a user, group or role that was asked for: those that are attached to it
  std::vector<provider_row> providers;
  std::vector<access_key_row> keys; // of a user that was asked for
  std::vector<bucket_owner> owners;
  std::shared_ptr<const identity> resolved; // of a user that was asked for
  token_keys sealing;                       // of a role that was asked for, or of the kind token_keys
  std::uint8_t level = 0; // with `sealing`: up to which feature level tokens may be, on a standalone node all
  bool truncated = false;
};

// A snapshot. Errors of all functions: corrupt, unsupported, io_error, quarantined; of functions that take the name of
// a bucket or a key: no_such_bucket, no_such_key; others as commented.
class view {
public:
  virtual ~view() = default;
  virtual log_index applied() = 0; // of the last batch that the snapshot includes
  virtual result<bucket_row> bucket(std::string_view name) = 0;
  virtual result<std::vector<bucket_row>> buckets() = 0;
  virtual result<buckets_page> buckets(const buckets_query& query) = 0; // examines 4,096 rows at most
  virtual result<std::optional<usage>> usage_of(bucket_id bucket) = 0;  // nullopt: it is not counted yet
  virtual result<usage_totals> total_usage() = 0;
  // The live version. If a delete marker hides the key, the text of no_such_key is its version id.
  virtual result<object_row> object(std::string_view bucket, std::string_view key) = 0;
  // no_such_key: the object has no version at all; no_such_version. The row may be a delete marker.
  virtual result<object_row> object(std::string_view bucket, std::string_view key, const version_id& id) = 0;
  virtual result<versions_page> versions(const versions_query& query) = 0;
  virtual result<std::string> inline_bytes(const object_row& row) = 0;
  // At most `max` parts that cover the object from `object_offset` on, in order.
  virtual result<std::vector<manifest_part>> parts(manifest_id id, std::uint64_t object_offset, std::size_t max) = 0;
  // At most `max` parts with numbers > `after`, by number. Parts without bytes are not included.
  virtual result<std::vector<object_part>> object_parts(manifest_id id, std::uint32_t after, std::size_t max) = 0;
  virtual result<upload_row> upload(const upload_name& name) = 0; // no_such_upload
  virtual result<std::vector<uploaded_part>> upload_parts(upload_id id, std::uint32_t after, std::size_t max) = 0;
  virtual result<uploads_page> uploads(const uploads_query& query) = 0;
  virtual result<listing> list(const listing_query& query) = 0;         // examines at most keys_max + 1 rows
  virtual result<std::vector<buried_blob>> buried(std::size_t max) = 0; // oldest first
  virtual std::uint64_t manifests_to_free() = 0;
  virtual bool deletions_held() = 0;
  virtual std::uint8_t feature_level() = 0; // of a cluster: of the commands that its log may hold
  // By which retentions of object lock are judged. nullopt: no bucket ever had object lock.
  virtual std::optional<wall_ms> lock_time() = 0;
  // Blobs that were committed and not reaped, live or buried: for the walk that checks the places of their chunks. At
  // most `max` (1 or more) with ids > `after`; skips at most 16,384 abandoned blobs.
  virtual result<kept_blobs> blobs(const std::optional<blob_id>& after, std::size_t max) = 0;
  virtual result<std::optional<kept_blob>> kept(const blob_id& blob) = 0; // nullopt: not committed, or reaped
  // Whether the chunks of this blob may be deleted as orphaned: its session has ended and there is no blob row. False
  // also for a session that the metadata does not know.
  virtual result<bool> is_dead(const blob_id& blob) = 0;
  virtual result<std::vector<session_row>> sessions() = 0; // including ended ones

  virtual result<access_key_row> access_key(std::string_view id) = 0; // no_such_access_key; with its user's policies
  // The access key of temporary credentials, with their secret and their policies. no_such_access_key: it is no token
  // of this access key, or the role or the user does not exist any more; secret_sealed: perhaps one that the sealing
  // keys (null: none) do not open. Expired credentials are found.
  virtual result<access_key_row> temporary_key(std::string_view id, std::string_view token,
                                               const secrets::key_ring* sealing) = 0;
  // At most `max` access keys with ids > `after`, by id.
  virtual result<std::vector<access_key_row>> access_keys(std::string_view after, std::size_t max) = 0;
  virtual result<std::vector<std::string>> user_ids() = 0;                   // of all users, in ascending order
  virtual result<identity_page> identities(const identity_query& query) = 0; // no_such_identity: the one of the name

  virtual result<cluster_row> cluster() = 0;                  // not_found: there is none
  virtual result<std::vector<node_row>> nodes() = 0;          // by number without gaps, including removed ones
  virtual result<node_row> node(const uuid& id) = 0;          // not_found
  virtual result<admission_rows> admission() = 0;             // not_found: there is no cluster
  virtual result<owners_page> owners(std::uint16_t page) = 0; // not_found: there is no cluster, or no such page
  // At most `max` repairs of the node, by blob and chunk, after `after`.
  virtual result<std::vector<repair_row>> repairs(node_number node, const std::optional<repair_row>& after,
                                                  std::size_t max) = 0;
  virtual result<std::vector<repair_row>> repairs_of(const blob_id& blob, std::size_t max) = 0; // of all nodes
  virtual std::uint64_t repairs_waiting() = 0; // without those of `nobody`
  // The lowest epoch that a live session has acknowledged; the present epoch if no session is live.
  virtual result<layout_epoch> acknowledged_epoch() = 0;
};

} // namespace cairn::storage::metadata
