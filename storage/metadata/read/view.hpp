// What can be asked of one group's rows: a snapshot of them, and the queries and pages of its listings. Opened by
// storage/metadata/store.hpp; snapshot.hpp implements it.
#pragma once

#include "storage/metadata/commands/commands.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn::storage::metadata {

// What a request was let in by, in the queries that it makes then.
struct judgement {
  bucket_id bucket = 0; // another one of its name is no_such_bucket; 0: any
  // The state that said so, read after the request came: its other reads need no newer one. 0: they do.
  log_index seen = 0;
};

struct listing_query {
  std::string bucket, prefix, delimiter;
  std::string start_after; // keys and common prefixes > this (bytewise)
  // Whether start_after stands for the common prefix that it lies in: a page ended with that prefix, which is not shown
  // again. Else the prefix is shown when a key of it is > start_after.
  bool passes_group = true;
  std::uint32_t keys_max = 1000;
  judgement judged;
};
struct listed_object {
  std::string key;
  std::uint64_t size = 0;
  metadata::etag etag;
  wall_ms modified = 0;
};
struct listing {
  std::vector<listed_object> objects;       // in byte order
  std::vector<std::string> common_prefixes; // in byte order; together at most keys_max
  bool truncated = false;
  std::string last; // the last key or common prefix returned or passed: start_after of the next page
};

struct kept_blob {
  blob_id blob;
  std::uint64_t length = 0;     // bytes
  std::uint32_t chunk_size = 0; // bytes; the last chunk may be shorter
  std::uint32_t chunks = 0;     // indexes [0, chunks)
  bool buried = false;          // no object needs it any more, but a running download may
  friend bool operator==(const kept_blob&, const kept_blob&) = default;
};
struct kept_blobs {
  std::vector<kept_blob> blobs; // in the order of their ids
  // `after` of the next page; nothing when this was the last one. A page without blobs may have one that follows.
  std::optional<blob_id> next;
};

struct uploads_query {
  std::string bucket, prefix, delimiter;
  std::string key_marker;      // keys and common prefixes > this …
  upload_id upload_marker = 0; // … and, when this is not 0, uploads of key_marker itself that began after this one
  std::uint32_t uploads_max = 1000;
  judgement judged;
};
struct listed_upload {
  std::string key;
  upload_id id = 0;
  std::uint64_t nonce = 0;
  wall_ms begun = 0;
};
struct uploads_page {
  std::vector<listed_upload> uploads; // by key, then as they began
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key_marker; // truncated
  upload_id next_upload_marker = 0, next_upload_nonce = 0;
};

struct versions_query {
  std::string bucket, prefix, delimiter;
  std::string key_marker;                   // keys and common prefixes > this …
  std::optional<version_id> version_marker; // … and, when it is given, versions of key_marker itself behind it
  std::uint32_t versions_max = 1000;
  judgement judged;
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
};
struct versions_page {
  std::vector<listed_version> versions; // by key, then the newest first
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key_marker; // truncated
  std::optional<version_id> next_version_marker;
};

// A part of an object that was uploaded in parts.
struct object_part {
  std::uint32_t number = 1;
  std::uint64_t offset = 0, length = 0;
  std::string checksum{}; // base64, of the algorithm of the object's own; empty: none was kept
};

// What decides who may become a member.
struct admission_rows {
  wall_ms created = 0;  // the cluster
  bool founded = false; // who joins needs an invitation
  std::vector<invitation> invitations;
};

// Buckets whose names begin with `prefix` and follow `after`, with rights of `only_of` where it is given.
struct buckets_query {
  std::string prefix, after;
  std::uint32_t buckets_max = 1000;
  std::shared_ptr<const access_key_row> only_of{};
};
struct buckets_page {
  std::vector<listed_bucket> buckets; // by name
  std::string last;                   // what the next page follows; truncated with nothing returned is possible
  bool truncated = false;
};

// A snapshot. Errors of all: corrupt, io_error; of what names a bucket or a key: no_such_bucket, no_such_key; others as
// they are commented.
class view {
public:
  virtual ~view() = default;
  virtual log_index applied() = 0; // the batch this snapshot shows
  virtual result<bucket_row> bucket(std::string_view name) = 0;
  virtual result<std::vector<bucket_row>> buckets() = 0;
  virtual result<buckets_page> buckets(const buckets_query& query) = 0; // examines 4,096 rows at most
  // no_such_key: its text names the delete marker that hides the key, if one does.
  virtual result<object_row> object(std::string_view bucket, std::string_view key) = 0;
  // no_such_key: the object has no version at all; no_such_version.
  virtual result<object_row> object(std::string_view bucket, std::string_view key, const version_id& id) = 0;
  virtual result<versions_page> versions(const versions_query& query) = 0;
  virtual result<std::string> inline_bytes(const object_row& row) = 0;
  // Parts that cover the object from `object_offset` on, at most `max`, in order.
  virtual result<std::vector<manifest_part>> parts(manifest_id id, std::uint64_t object_offset, std::size_t max) = 0;
  // By number, those behind `after`, at most `max`. A part without bytes is not there.
  virtual result<std::vector<object_part>> object_parts(manifest_id id, std::uint32_t after, std::size_t max) = 0;
  virtual result<upload_row> upload(const upload_name& name) = 0; // no_such_upload
  virtual result<std::vector<uploaded_part>> upload_parts(upload_id id, std::uint32_t after, std::size_t max) = 0;
  virtual result<uploads_page> uploads(const uploads_query& query) = 0;
  // Examines a bounded number of rows (16,384 beside those returned); truncated with nothing returned is possible.
  virtual result<listing> list(const listing_query& query) = 0;
  virtual result<std::vector<buried_blob>> buried(std::size_t max) = 0; // oldest first
  virtual std::uint64_t manifests_to_free() = 0;
  virtual bool deletions_held() = 0;
  virtual std::uint8_t feature_level() = 0; // of a cluster: that of the commands which its log may hold
  // Blobs that were committed and not reaped, with or without a manifest that names them: the walk that looks whether
  // their chunks are where they should be. At most `max` (1 or more), those behind `after`; examines a bounded number
  // of rows, as `list` does.
  virtual result<kept_blobs> blobs(const std::optional<blob_id>& after, std::size_t max) = 0;
  virtual result<std::optional<kept_blob>> kept(const blob_id& blob) = 0; // nothing: there is none like that
  // Whether chunks of this blob may be deleted by the log's word: its session ended, and no blob row and no live
  // reference names it. False also for sessions the log has not seen.
  virtual result<bool> is_dead(const blob_id& blob) = 0;
  virtual result<std::vector<session_row>> sessions() = 0; // also those that ended

  virtual result<access_key_row> access_key(std::string_view id) = 0; // no_such_access_key
  // By id, those behind `after`, at most `max`.
  virtual result<std::vector<access_key_row>> access_keys(std::string_view after, std::size_t max) = 0;

  virtual result<cluster_row> cluster() = 0;                  // not_found: there is none
  virtual result<std::vector<node_row>> nodes() = 0;          // by number without gaps, also those that were removed
  virtual result<node_row> node(const uuid& id) = 0;          // not_found
  virtual result<admission_rows> admission() = 0;             // not_found: there is no cluster
  virtual result<owners_page> owners(std::uint16_t page) = 0; // not_found: there is no cluster, or no such page
  // What the node has not confirmed, at most `max`, in order of blob and chunk; the page after `after`.
  virtual result<std::vector<repair_row>> repairs(node_number node, const std::optional<repair_row>& after,
                                                  std::size_t max) = 0;
  virtual result<std::vector<repair_row>> repairs_of(const blob_id& blob, std::size_t max) = 0; // of all nodes
  virtual std::uint64_t repairs_waiting() = 0; // without those of `nobody`
  // The lowest epoch that a live session has acknowledged; the present one when no session lives.
  virtual result<layout_epoch> acknowledged_epoch() = 0;
};

} // namespace cairn::storage::metadata
