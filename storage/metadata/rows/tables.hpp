// The tables of the metadata and the grammar of their keys: part of the on-disk format, never changed. All integers in
// keys are big-endian and of fixed width; every key begins with the metadata group (g, u16), so that groups can share
// an engine or be separated. The other headers of this room describe the values. An "id" comes from the counter in
// `meta` and is never reused within a group.
//
//   meta          g field:u8                              → see meta_field
//                 g 13 bucket id:u64                      → usage_row
//   buckets       g name                                  → bucket_row
//   current       tree(g, bucket id, key)                 → object_row; live keys only: what LIST reads
//   names         tree(g, bucket id, key)                 → name_row; keys that have versions that are not live
//   versions      g row id:u64 ~version:u64 ~ordinal:u32  → object_row; versions and delete markers, newest first
//   inline_data   g row id:u64 version:u64 ordinal:u32    → bytes of a small object
//   manifests     g manifest id:u64                       → manifest_row
//                 g manifest id:u64 index:u32             → manifest_part; index from 1 without gaps, in object order,
//                                                           independent of the client's part numbers
//   blobs         g session:u64 number:u64                → blob_row; live, or buried and not yet reaped
//   buried        g log index:u64 session:u64 number:u64  → chunks:varint; oldest first
//   abandoned     g session:u64 number:u64                → version:u8; as long as the session is live, commits that
//                                                           name the blob are refused, even after it was reaped
//   free_queue    g log index:u64 1 manifest id:u64       → version:u8; its last reference was dropped at that index;
//                                                           its parts are to be freed
//                 g log index:u64 2 session:u64           → version:u8; ended at that index; its rows are to be removed
//                 g log index:u64 3 upload id:u64         → version:u8; ended at that index; its parts are to be freed
//   sessions      g 1 session:u64                         → session_row
//                 g 2 node:16 bytes                       → session:u64; the node's live session
//   outcomes      g session:u64 sequence:u64              → command_result; between acknowledged_below and the newest
//   uploads       g upload id:u64                         → upload_row
//                 g upload id:u64 part number:u32         → uploaded_part; also of ended uploads, until it is freed
//   upload_names  tree(g, bucket id, key 00 upload id:u64)→ version:u8; keys have no NUL, so the order is key, id
//   cluster       g                                       → cluster_row; at most one
//   nodes         g 1 number:u16                          → node_row; numbers from 0 without gaps
//                 g 2 node:16 bytes                       → number:u64
//                 g 3 token:32 bytes node:16 bytes        → invitation
//                 g 4                                     → version:u8; the founding has ended: nodes need an
//                                                           invitation to join
//   owners        g page:u16                              → owners_page: partitions 64 × page to 64 × page + 63
//   repairs       g 1 node:u16 session:u64 number:u64 first:u32 → version:u8 count:varint; chunks that the node has not
//                                                           confirmed, in the order in which they are repaired
//                 g 2 session:u64 number:u64 node:u16 first:u32 → the same value, found by blob
//   access_keys   g id                                    → access_key_row
//   identities    g 1 name                                → user_row; names in lower case
//                 g 2 name                                → group_row
//                 g 3 name                                → policy_row
//                 g 4 name                                → role_row
//                 g 5                                     → token_keys
//                 g 6 name                                → provider_row
//                 g 7 user's id, or access key of nobody  → bucket_owner_row
//
// tree(g, root, key): see key_tree.hpp.
#pragma once

#include "base/codec.hpp"
#include "base/ids.hpp"
#include "storage/kv/kv.hpp"
#include "storage/metadata/rows/cluster_rows.hpp"
#include "storage/metadata/rows/rows.hpp"
#include "storage/metadata/rows/version_rows.hpp"

#include <string>
#include <string_view>

namespace cairn::storage::metadata {

// The numbers are part of the format; new tables are added at the end.
enum class table : table_id {
  meta,
  buckets,
  current,
  names,
  versions,
  inline_data,
  manifests,
  blobs,
  buried,
  abandoned,
  free_queue,
  sessions,
  outcomes,
  uploads,
  upload_names,
  cluster,
  nodes,
  owners,
  repairs,
  access_keys,
  identities,
  count_
};
constexpr table_id id_of(table t) {
  return static_cast<table_id>(t);
}

constexpr std::uint8_t format_version = 1;
constexpr std::string_view presence = "\x01"; // the value of rows without content: their version byte

enum class meta_field : std::uint8_t {
  format = 1,       // u8: format_version
  applied = 2,      // u64: log index of the last applied batch
  last_id = 3,      // u64: the last id assigned to a bucket, row, tree node, manifest, upload or session
  free_waiting = 4, // u64: number of rows of this group in free_queue
  repairs = 5,      // u64: number of repairs of this group (each has two rows); missing: 0
  held = 6,         // u64: 1 while deletion is held (hold_deletions); missing: not held
  feature = 7,      // u64: level set by raise_feature_level; missing: not set
  given_up = 8,     // u64: number of repairs of node `nobody`; missing: 0
  lock_time = 9,    // u64: by which retentions are judged (wall_ms); missing: no bucket ever had object lock
  usage = 12,       // usage_state; missing: nothing was counted
  usage_of_bucket = 13,
};

enum class free_kind : std::uint8_t { manifest = 1, session = 2, upload = 3 };
enum class session_key : std::uint8_t { by_id = 1, live_of_node = 2 };
enum class node_key : std::uint8_t { by_number = 1, by_id = 2, invitation = 3, founded = 4 };
enum class identity_kind : std::uint8_t {
  user = 1,
  group = 2,
  policy = 3,
  role = 4,
  token_key_list = 5,
  provider = 6,
  bucket_owner = 7
};
enum class repair_key : std::uint8_t { by_node = 1, by_blob = 2 };

// Builds the keys of one group.
class key_maker {
public:
  explicit key_maker(group_id group) : group_(group) {}

  std::string all() const { return begin().take(); } // the prefix of every key of the group
  std::string meta(meta_field f) const { return begin().u8(static_cast<std::uint8_t>(f)).take(); }
  std::string usage(bucket_id bucket) const {
    return begin().u8(static_cast<std::uint8_t>(meta_field::usage_of_bucket)).u64(bucket).take();
  }
  std::string bucket(std::string_view name) const { return begin().raw(name).take(); }
  std::string inline_data(const object_row& row) const {
    return begin().u64(row.row_id).u64(row.version).u32(row.ordinal).take();
  }
  std::string versions_of(std::uint64_t row_id) const { return begin().u64(row_id).take(); }
  std::string version(std::uint64_t row_id, const version_place& place) const {
    return begin().u64(row_id).u64(~place.version).u32(~place.ordinal).take();
  }
  std::string manifest(manifest_id id) const { return begin().u64(id).take(); }
  std::string part(manifest_id id, std::uint32_t index) const { return begin().u64(id).u32(index).take(); }
  std::string upload(std::uint64_t id) const { return begin().u64(id).take(); }
  std::string upload_part(std::uint64_t id, std::uint32_t number) const { return begin().u64(id).u32(number).take(); }
  std::string blob(const blob_id& id) const { return begin().u64(id.session).u64(id.number).take(); }
  std::string buried(log_index at, const blob_id& id) const {
    return begin().u64(at).u64(id.session).u64(id.number).take();
  }
  std::string to_free(log_index released_at, free_kind kind, std::uint64_t id) const {
    return begin().u64(released_at).u8(static_cast<std::uint8_t>(kind)).u64(id).take();
  }
  std::string sessions() const { return begin().u8(static_cast<std::uint8_t>(session_key::by_id)).take(); }
  std::string session(session_id id) const {
    return begin().u8(static_cast<std::uint8_t>(session_key::by_id)).u64(id).take();
  }
  std::string live_session(const uuid& node) const {
    return begin().u8(static_cast<std::uint8_t>(session_key::live_of_node)).raw(node).take();
  }
  std::string of_session(session_id id) const { return begin().u64(id).take(); } // prefix: outcomes, blobs, abandoned
  std::string outcome(session_id id, std::uint64_t sequence) const { return begin().u64(id).u64(sequence).take(); }
  std::string live_sessions() const { return begin().u8(static_cast<std::uint8_t>(session_key::live_of_node)).take(); }

  std::string cluster() const { return all(); }
  std::string nodes() const { return begin().u8(static_cast<std::uint8_t>(node_key::by_number)).take(); }
  std::string node(node_number n) const {
    return begin().u8(static_cast<std::uint8_t>(node_key::by_number)).u16(n).take();
  }
  std::string node_id(const uuid& id) const {
    return begin().u8(static_cast<std::uint8_t>(node_key::by_id)).raw(id).take();
  }
  std::string invitations() const { return begin().u8(static_cast<std::uint8_t>(node_key::invitation)).take(); }
  std::string invitation(const token_hash& token, const uuid& node) const {
    return byte_writer{64}.raw(invitations()).raw(token).raw(node).take();
  }
  std::string founded() const { return begin().u8(static_cast<std::uint8_t>(node_key::founded)).take(); }
  std::string owners(std::uint16_t page) const { return begin().u16(page).take(); }
  std::string repairs_of(node_number n) const {
    return begin().u8(static_cast<std::uint8_t>(repair_key::by_node)).u16(n).take();
  }
  std::string repairs_of(const blob_id& blob) const {
    return begin().u8(static_cast<std::uint8_t>(repair_key::by_blob)).u64(blob.session).u64(blob.number).take();
  }
  std::string repair_by_node(const repair_row& r) const {
    return byte_writer{40}
        .raw(repairs_of(r.missing.node))
        .u64(r.blob.session)
        .u64(r.blob.number)
        .u32(r.missing.first)
        .take();
  }
  std::string repair_by_blob(const repair_row& r) const {
    return byte_writer{40}.raw(repairs_of(r.blob)).u16(r.missing.node).u32(r.missing.first).take();
  }

  std::string access_key(std::string_view id) const { return begin().raw(id).take(); }
  std::string token_key_list() const { return identities(identity_kind::token_key_list); }
  std::string identities(identity_kind kind) const { return begin().u8(static_cast<std::uint8_t>(kind)).take(); }
  std::string identity(identity_kind kind, std::string_view lower_case_name) const {
    return begin().u8(static_cast<std::uint8_t>(kind)).raw(lower_case_name).take();
  }

private:
  byte_writer begin() const {
    byte_writer w{32};
    w.u16(group_);
    return w;
  }

  group_id group_;
};

} // namespace cairn::storage::metadata
