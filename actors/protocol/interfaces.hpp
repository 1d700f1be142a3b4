// The whole message protocol between the actors of a node: every typed interface, a line a message: who sends it, what
// it answers, which errors. The values and their type ids are in messages.hpp. No message leaves its process, so none
// has an `inspect` function: what travels between nodes has encodings of its own (chunk_messages.hpp,
// cluster_messages.hpp, operator_messages.hpp).
//
// Errors travel as caf::error in category "cairn" whose code is our errc and whose context is the text
// (`to_caf`, `from_caf`: actors/protocol/errors.hpp).
//
// Requests carry no CAF timeout: an answered one would keep its timer, and with it the requester, until it expires. The
// long-lived actors (chunk_store, metadata, admin_service) answer *every* request within their own deadline instead,
// with errc::timeout when the disk or another node is late. In the first two, one ticking timer sees to that
// (actors/protocol/reply_table.hpp).
#pragma once

#include "actors/protocol/messages.hpp"

#include <caf/all.hpp>

namespace cairn::actors {

// One disk's chunks: several actors a disk share the reads, the first also gathers writes into group commits, blocking
// work runs on the disk's executors. Or the chunks of a peer, all its disks together (actors/chunks/remote_store.hpp),
// whose requests can also end in connection_lost; those that write, in stale_layout.
using chunk_store_actor = caf::typed_actor<
    // sequencer, backfill, chunk_server → bytes of one chunk into the buffer that the request owns. not_found, corrupt,
    // io_error, busy, timeout, quarantined, stopping.
    caf::replies_to<read_atom, chunk_read>::with<chunk_data>,
    // ingest, backfill, chunk_server → durable when answered. no_space, read_only, io_error, busy, timeout,
    // content_mismatch, blob_dead (its chunks were erased a moment ago), stopping.
    caf::replies_to<write_atom, chunk_payload>::with<done_atom>,
    // reaper, chunk_server → how many were there; their index rows are gone and the space is remembered, the punching
    // follows by itself. The blobs are dead: writes of them that come later are refused. io_error, busy, quarantined.
    caf::replies_to<erase_atom, chunk_ids>::with<std::uint64_t>,
    // backfill → the same of chunks that other nodes own now, and that may come back.
    caf::replies_to<drop_atom, chunk_ids>::with<std::uint64_t>,
    // reaper, backfill → a page of the chunks that are there. io_error, busy, quarantined.
    caf::replies_to<list_atom, chunk_list_query>::with<chunk_ids>,
    // itself: an executor finished, run this on the actor.
    caf::reacts_to<completion>,
    // itself, each second: overdue requests, punching.
    caf::reacts_to<tick_atom>>;

// Serves the chunks of this node to its peers (actors/chunks/chunk_service.hpp).
using chunk_server_actor = caf::typed_actor<
    // chunk_service, on a link's strand → answered through the request's responder.
    caf::reacts_to<chunk_call>>;

// The metadata of this node: answers look-ups from a cache of hot rows or a snapshot, gathers waiting commands into one
// batch. In a cluster it also drives consensus: reads wait for a read index, commands go through the log.
using metadata_actor = caf::typed_actor<
    // streamer, HTTP gateway → the row, its first parts or inline bytes, and a hold that keeps its blobs.
    // no_such_bucket, no_such_key, no_such_version, delete_marker, corrupt, io_error, busy, timeout.
    caf::replies_to<lookup_atom, object_name>::with<found_object>,
    // streamer → further parts of a long manifest. corrupt, io_error, busy.
    caf::replies_to<parts_atom, storage::manifest_id, std::uint64_t>::with<part_list>,
    // HTTP gateway, ingest, lifecycle → no_such_bucket, busy, timeout, io_error.
    caf::replies_to<bucket_atom, std::string>::with<storage::metadata::bucket_row>,
    // HTTP gateway, admin port, lifecycle → a page of the buckets' names. busy, timeout.
    caf::replies_to<list_atom, storage::metadata::buckets_query>::with<buckets_listing>,
    // HTTP gateway → a page. no_such_bucket, busy, timeout.
    caf::replies_to<list_atom, storage::metadata::listing_query>::with<listing_page>,
    // HTTP gateway, lifecycle → a page of the uploads that are under way. no_such_bucket, busy, timeout.
    caf::replies_to<list_atom, storage::metadata::uploads_query>::with<uploads_listing>,
    // HTTP gateway, lifecycle → a page of the versions of objects. no_such_bucket, busy, timeout.
    caf::replies_to<list_atom, storage::metadata::versions_query>::with<versions_listing>,
    // HTTP gateway → an upload and a page of its parts. no_such_bucket, no_such_upload, busy, timeout.
    caf::replies_to<parts_atom, upload_query>::with<found_upload>,
    // HTTP gateway → an object and a page of its parts. no_such_bucket, no_such_key, busy, timeout.
    caf::replies_to<parts_atom, object_parts_query>::with<found_parts>,
    // HTTP gateway → whom a request may come from, and the buckets it is about. busy, timeout, io_error.
    caf::replies_to<access_atom, access_query>::with<found_access>,
    // admin port → a page of the access keys. busy, timeout.
    caf::replies_to<list_atom, keys_query>::with<key_list>,
    // ingest, HTTP gateway, admin port, reaper, lifecycle, backfill, membership, admin_service → durable and visible
    // when answered. The command's own refusals, no_space, read_only, io_error, busy, timeout (outcome unknown). The
    // stamp's session and sequence are filled in here when they are 0.
    caf::replies_to<commit_atom, command_box>::with<committed>,
    // ingest, reaper (to learn the session) → a fresh blob id of this node's live session.
    caf::replies_to<new_blob_atom>::with<storage::blob_id>,
    // reaper → at most so many buried blobs that no running read of this node can need, oldest first; io_error, busy.
    caf::replies_to<buried_atom, std::uint32_t>::with<buried_list>,
    // reaper → those of the ids whose blobs are dead by the log's word. io_error, busy.
    caf::replies_to<dead_atom, chunk_ids>::with<chunk_ids>,
    // link server → a request of another node (consensus, submit, barrier, snapshot).
    caf::reacts_to<peer_atom, peer_call>,
    // membership, admin_service, lifecycle, start-up code → how the log is; unsupported on a node that is no member of
    // a cluster.
    caf::replies_to<status_atom>::with<log_status_ptr>,
    // membership, admin_service → whether the leader took the change (cluster::raft::accepted).
    caf::replies_to<change_atom, log_change>::with<std::uint8_t>,
    // membership, admin_service, start-up code (before the node stops) → whether leadership is being handed to that
    // node.
    caf::replies_to<transfer_atom, storage::node_number>::with<std::uint8_t>,
    // itself: an executor finished, run this on the actor.
    caf::reacts_to<completion>,
    // itself, each second: overdue requests, a session that could not begin.
    caf::reacts_to<tick_atom>>;

// One download: keeps at most `window` slices outstanding, releases them in order to its streamer.
using sequencer_actor = caf::typed_actor<
    // streamer: the socket took this many slices; their buffers are free again. `starving`: nothing was left to write.
    caf::reacts_to<credit_atom, std::uint32_t, bool>,
    // streamer: stop, drop everything.
    caf::reacts_to<cancel_atom>,
    // streamer: further parts of the manifest, which were asked for.
    caf::reacts_to<parts_atom, part_list>,
    // buffer pool: the block that was waited for.
    caf::reacts_to<buffer_atom, buffer_grant>,
    // itself: a wait or a back-off is over.
    caf::reacts_to<tick_atom>>;

// One HTTP answer with a body from the store: look-up, plan, head, bytes, abort.
using streamer_actor = caf::typed_actor<
    // sequencer: the next slice in order. `index` counts from 0.
    caf::reacts_to<slice_atom, std::uint64_t, storage::slice>,
    // sequencer: a slice cannot be had. The last message.
    caf::reacts_to<failed_atom, failure>,
    // download_client: the socket took everything up to and with the write of this number.
    caf::reacts_to<written_atom, std::uint64_t>,
    // download_client: the client is gone, is too slow, or the node stops.
    caf::reacts_to<gone_atom>,
    // sequencer: needs parts from this object offset on.
    caf::reacts_to<parts_atom, std::uint64_t>>;

// One upload: hands empty buffers to the socket, writes the filled ones, digests beside it, commits at the end.
using ingest_actor = caf::typed_actor<
    // upload_client: the next bytes of the body, in order; all but the last fill their buffer.
    caf::reacts_to<body_atom, storage::slice>,
    // upload_client, of an upload with grants on demand: bytes are there and no buffer is; one grant, please.
    caf::reacts_to<want_atom>,
    // upload_client: the body is complete.
    caf::reacts_to<body_end_atom, body_end>,
    // upload_client: the client is gone, sent too little, or the node stops.
    caf::reacts_to<gone_atom>,
    // buffer pool: the buffer that was waited for.
    caf::reacts_to<buffer_atom, buffer_grant>,
    // itself: a piece of the body is digested.
    caf::reacts_to<completion>,
    // itself: a wait is over.
    caf::reacts_to<tick_atom>>;

// Deletes what the log says is dead: buried blobs, and leftovers of ended sessions found by walking the stores.
using reaper_actor = caf::typed_actor<
    // itself, each second.
    caf::reacts_to<tick_atom>>;

// Carries out the lifecycle rules of buckets (actors/upkeep/lifecycle.hpp).
using lifecycle_actor = caf::typed_actor<
    // itself, each hour.
    caf::reacts_to<tick_atom>>;

// Answers what operators ask of the cluster (actors/members/admin_service.hpp).
using admin_service_actor = caf::typed_actor<
    // admin port → the cluster as the leader sees it, or as this node does when there is none. no_leader (this node
    // knows nothing yet), timeout, stopping.
    caf::replies_to<status_atom>::with<cluster_status_ptr>,
    // admin port → what was done, for people. invalid_argument, not_found, precondition_failed, no_leader, timeout,
    // stopping.
    caf::replies_to<admin_command_atom, admin_command>::with<std::string>,
    // link server → the admin_service of another node asks the same of this one (operator_messages.hpp).
    caf::reacts_to<peer_atom, peer_call>,
    // itself: an executor finished or a peer answered, run this on the actor.
    caf::reacts_to<completion>,
    // itself, each second: what metrics show.
    caf::reacts_to<tick_atom>>;

// One node's part in the membership of its cluster.
using membership_actor = caf::typed_actor<
    // link server → a request of another node: join, report, members.
    caf::reacts_to<peer_atom, peer_call>,
    // admin_service → what the other members reported; nothing on a node that does not lead.
    caf::replies_to<status_atom>::with<member_reports_ptr>,
    // itself: an executor finished or a peer answered, run this on the actor.
    caf::reacts_to<completion>,
    // itself, each second.
    caf::reacts_to<tick_atom>>;

// Fetches the chunks that this node is to have, lets go of those that moved away.
using backfill_actor = caf::typed_actor<
    // itself: an executor finished or a buffer is there, run this on the actor.
    caf::reacts_to<completion>,
    // itself, each second.
    caf::reacts_to<tick_atom>>;

// Reads and verifies what the disks of a standalone node hold (actors/upkeep/scrubber.hpp), or the rows of any node's
// metadata (actors/upkeep/metadata_scrub.hpp).
using scrubber_actor = caf::typed_actor<
    // itself: an executor finished, run this on the actor.
    caf::reacts_to<completion>,
    // itself, each second.
    caf::reacts_to<tick_atom>>;

} // namespace cairn::actors
