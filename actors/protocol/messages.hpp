// The values that messages between actors carry (those of objects and access: actors/protocol/values), their CAF type
// ids and atoms. Messages copy pointers, never chunk bytes, and stay within their process (interfaces.hpp).
#pragma once

#include "actors/link/peer_service.hpp"
#include "actors/protocol/admin_command.hpp"
#include "actors/protocol/cluster_status.hpp"
#include "actors/protocol/values/access.hpp"
#include "actors/protocol/values/objects.hpp"
#include "base/error.hpp"
#include "base/memory/buffer_pool.hpp"
#include "base/third_party/caf.hpp"
#include "cluster/raft/raft_core.hpp"
#include "storage/chunks/chunk_store.hpp"
#include "storage/metadata/read/view.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cairn::actors {

// The requester owns the receiving buffer.
struct chunk_read {
  chunk_id id;
  std::uint32_t offset = 0, length = 0; // offset: a multiple of 64 KiB
  buffer_ptr into;                      // capacity ≥ length
  bool direct = false;                  // bypass the page cache: the bytes are kept in memory elsewhere
};
struct chunk_data {
  slice bytes; // of `into`
  std::uint32_t chunk_length = 0;
};
struct chunk_payload {
  chunk_id id;
  slice bytes;
  layout_epoch epoch = 0; // of the layout that chose this store; 0: none did
};
struct chunk_list_query {
  std::optional<chunk_id> after;
  std::uint32_t max = 1000;
};
// A request of a peer about this node's chunks; answered through its responder.
struct chunk_call {
  peer_request kind{};
  std::shared_ptr<link::incoming_request> request;
};

// At most `max` access keys greater than `after`.
struct keys_query {
  std::string after;
  std::uint32_t max = 1000;
};
using key_list = std::shared_ptr<const std::vector<storage::metadata::access_key_row>>;
using found_identities = std::shared_ptr<const storage::metadata::identity_page>;

using command_box = std::shared_ptr<const storage::metadata::command>;
struct committed {
  storage::metadata::command_result result; // never a refusal: that is the request's error
};

struct body_end {
  std::optional<storage::metadata::md5_digest> content_md5; // announced by the client; another one: digest_mismatch
};
struct buffer_grant {
  buffer_ptr buffer;
};
// The end of a read that a download waited for instead of reading itself (actors/chunks/chunk_cache.hpp).
struct shared_read_end {
  std::uint64_t index = 0; // of the slice
  std::optional<slice> bytes;
  bool cancelled = false; // without bytes: the download that read has ended
};
struct failure {
  error reason;
  std::string what; // for the log, such as "chunk 12 of files/big.bin"
};
struct completion {
  std::function<void()> run;
};

using chunk_ids = std::vector<chunk_id>;
// Blobs and manifests that wait to be deleted.
struct buried_list {
  std::vector<storage::metadata::buried_blob> blobs;
  std::uint64_t manifests_to_free = 0;
  log_index released_up_to = 0; // no running read needs a manifest that lost its last reference up to this index
  bool uncounted = false;       // what some bucket holds is still to be counted
};

// A request of another node that concerns the metadata, answered through its responder.
struct peer_call {
  peer_request kind{};
  std::shared_ptr<link::incoming_request> request;
};
struct log_status; // actors/metadata/log/replicated_log.hpp
using log_status_ptr = std::shared_ptr<const log_status>;
struct member_reports; // actors/protocol/cluster_messages.hpp
using member_reports_ptr = std::shared_ptr<const member_reports>;
using cluster_status_ptr = std::shared_ptr<const cluster_status>;
// A change of the metadata log's members or voters; only the leader accepts it.
struct log_change {
  node_number node = 0;
  cluster::raft::change_kind kind{};
};

} // namespace cairn::actors

// No message is serialised: requests between nodes have their own encodings.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::chunk_read)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::chunk_data)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::chunk_payload)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::chunk_list_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::chunk_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::bucket_name)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::object_name)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::found_object)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::part_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::listing_page)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::command_box)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::committed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::body_end)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::buffer_grant)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::shared_read_end)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::failure)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::completion)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::slice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::blob_id)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::chunk_ids)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::buried_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::peer_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::log_change)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::log_status_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::member_reports_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::cluster_status_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::admin_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::storage::metadata::bucket_row)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::storage::metadata::listing_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::storage::metadata::uploads_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::uploads_listing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::upload_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::found_upload)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::object_parts_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::found_parts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::access_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::found_access)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::storage::metadata::buckets_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::buckets_listing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::keys_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::key_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::storage::metadata::identity_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::found_identities)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::storage::metadata::versions_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cairn::actors::versions_listing)

CAF_BEGIN_TYPE_ID_BLOCK(cairn, first_custom_type_id)
CAF_ADD_TYPE_ID(cairn, (cairn::actors::chunk_read))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::chunk_data))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::chunk_payload))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::chunk_list_query))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::chunk_call))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::bucket_name))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::object_name))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::found_object))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::part_list))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::listing_page))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::command_box))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::committed))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::body_end))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::buffer_grant))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::shared_read_end))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::failure))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::completion))
CAF_ADD_TYPE_ID(cairn, (cairn::slice))
CAF_ADD_TYPE_ID(cairn, (cairn::blob_id))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::chunk_ids))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::buried_list))
CAF_ADD_TYPE_ID(cairn, (cairn::storage::metadata::bucket_row))
CAF_ADD_TYPE_ID(cairn, (cairn::storage::metadata::listing_query))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::peer_call))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::log_change))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::log_status_ptr))
CAF_ADD_TYPE_ID(cairn, (cairn::storage::metadata::uploads_query))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::uploads_listing))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::upload_query))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::found_upload))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::object_parts_query))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::found_parts))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::access_query))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::found_access))
CAF_ADD_TYPE_ID(cairn, (cairn::storage::metadata::buckets_query))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::buckets_listing))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::keys_query))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::key_list))
CAF_ADD_TYPE_ID(cairn, (cairn::storage::metadata::identity_query))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::found_identities))
CAF_ADD_TYPE_ID(cairn, (cairn::storage::metadata::versions_query))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::versions_listing))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::member_reports_ptr))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::cluster_status_ptr))
CAF_ADD_TYPE_ID(cairn, (cairn::actors::admin_command))
CAF_ADD_ATOM(cairn, cairn::actors, read_atom, "read")
CAF_ADD_ATOM(cairn, cairn::actors, write_atom, "write")
CAF_ADD_ATOM(cairn, cairn::actors, erase_atom, "erase")
CAF_ADD_ATOM(cairn, cairn::actors, list_atom, "list")
CAF_ADD_ATOM(cairn, cairn::actors, tick_atom, "tick")
CAF_ADD_ATOM(cairn, cairn::actors, lookup_atom, "lookup")
CAF_ADD_ATOM(cairn, cairn::actors, parts_atom, "parts")
CAF_ADD_ATOM(cairn, cairn::actors, bucket_atom, "bucket")
CAF_ADD_ATOM(cairn, cairn::actors, commit_atom, "commit")
CAF_ADD_ATOM(cairn, cairn::actors, new_blob_atom, "new_blob")
CAF_ADD_ATOM(cairn, cairn::actors, buried_atom, "buried")
CAF_ADD_ATOM(cairn, cairn::actors, dead_atom, "dead")
CAF_ADD_ATOM(cairn, cairn::actors, credit_atom, "credit")
CAF_ADD_ATOM(cairn, cairn::actors, cancel_atom, "cancel")
CAF_ADD_ATOM(cairn, cairn::actors, buffer_atom, "buffer")
CAF_ADD_ATOM(cairn, cairn::actors, slice_atom, "slice")
CAF_ADD_ATOM(cairn, cairn::actors, failed_atom, "failed")
CAF_ADD_ATOM(cairn, cairn::actors, written_atom, "written")
CAF_ADD_ATOM(cairn, cairn::actors, gone_atom, "gone")
CAF_ADD_ATOM(cairn, cairn::actors, body_atom, "body")
CAF_ADD_ATOM(cairn, cairn::actors, body_end_atom, "body_end")
CAF_ADD_ATOM(cairn, cairn::actors, done_atom, "done")
CAF_ADD_ATOM(cairn, cairn::actors, peer_atom, "peer")
CAF_ADD_ATOM(cairn, cairn::actors, status_atom, "status")
CAF_ADD_ATOM(cairn, cairn::actors, change_atom, "change")
CAF_ADD_ATOM(cairn, cairn::actors, transfer_atom, "transfer")
CAF_ADD_ATOM(cairn, cairn::actors, access_atom, "access")
CAF_ADD_ATOM(cairn, cairn::actors, admin_command_atom, "command")
CAF_ADD_ATOM(cairn, cairn::actors, drop_atom, "drop")
CAF_ADD_ATOM(cairn, cairn::actors, want_atom, "want")
CAF_END_TYPE_ID_BLOCK(cairn)
