// The message protocol between the actors of a node: every typed interface, with a comment for each message: senders →
// the answer, and the errors. The values and their type ids are in messages.hpp. No message leaves its process, so none
// has an `inspect` function: requests between nodes have their own encodings (chunk_messages.hpp, cluster_messages.hpp,
// operator_messages.hpp).
//
// Errors are caf::error in category "cairn": the code is our errc, the context is the text (`to_caf`, `from_caf`:
// actors/protocol/errors.hpp). Any request can also end in timeout and stopping.
//
// Requests carry no CAF timeout: an answered request would keep its timer, and with it the requester, until the timer
// expires. Instead the long-lived actors (chunk_store, metadata, admin_service) answer *every* request within their own
// deadline, with errc::timeout when the disk or another node is late. chunk_store and metadata do this with one ticking
// timer (actors/protocol/reply_table.hpp).
#pragma once

#include "actors/protocol/messages.hpp"
#include "base/third_party/caf.hpp"

namespace cairn::actors {

// The chunks of one disk: several actors per disk share the reads, the first one also gathers writes into group
// commits, and blocking work runs on the disk's executors. Or the chunks of a peer, all its disks together
// (actors/chunks/remote_store.hpp): requests can then also end in connection_lost, writes in stale_layout; list and
// drop are unsupported.
using chunk_store_actor = caf::typed_actor<
    // sequencer, backfill, chunk_server → the bytes of one chunk, in the buffer that the request owns. not_found,
    // corrupt, io_error, busy, quarantined.
    caf::replies_to<read_atom, chunk_read>::with<chunk_data>,
    // ingest, backfill, chunk_server → durable when answered. no_space, read_only, io_error, busy, content_mismatch,
    // blob_dead (the blob's chunks were erased a moment ago), quarantined.
    caf::replies_to<write_atom, chunk_payload>::with<done_atom>,
    // reaper, chunk_server → how many chunks were there. Their index rows are removed and their space is recorded;
    // punching follows asynchronously. The blobs are dead: later writes of them are refused. io_error, busy,
    // quarantined.
    caf::replies_to<erase_atom, chunk_ids>::with<std::uint64_t>,
    // backfill → as erase, for chunks that other nodes own now: the blobs are live, and may be written here again.
    caf::replies_to<drop_atom, chunk_ids>::with<std::uint64_t>,
    // reaper, backfill → a page of the chunks on the disk, in rising order. io_error, busy, quarantined.
    caf::replies_to<list_atom, chunk_list_query>::with<chunk_ids>,
    // itself: a job on an executor finished; runs its completion on the actor.
    caf::reacts_to<completion>,
    // itself, each second (a remote store: four times a second): overdue requests, punching, probes.
    caf::reacts_to<tick_atom>>;

// Serves this node's chunks to its peers (actors/chunks/chunk_service.hpp).
using chunk_server_actor = caf::typed_actor<
    // chunk_service, on a link's strand → answered through the responder of the request.
    caf::reacts_to<chunk_call>>;

// The metadata of this node: answers look-ups from a cache of hot rows or a snapshot, gathers waiting commands into
// batches. In a cluster it also drives consensus: reads wait for a read index, commands go through the log; both can
// then also end in no_leader, and in the error that took the node's log out of service.
using metadata_actor = caf::typed_actor<
    // streamer, HTTP gateway → the row, its first parts or inline bytes, and a hold that keeps its blobs.
    // no_such_bucket, no_such_key, no_such_version, delete_marker, corrupt, io_error, busy.
    caf::replies_to<lookup_atom, object_name>::with<found_object>,
    // streamer → further parts of a long manifest. corrupt, io_error, busy.
    caf::replies_to<parts_atom, manifest_id, std::uint64_t>::with<part_list>,
    // HTTP gateway, admin port, ingest, lifecycle → the bucket's row. no_such_bucket, busy, io_error.
    caf::replies_to<bucket_atom, bucket_name>::with<storage::metadata::bucket_row>,
    // HTTP gateway, admin port, lifecycle → a page of the buckets' names. busy.
    caf::replies_to<list_atom, storage::metadata::buckets_query>::with<buckets_listing>,
    // HTTP gateway → a page of a bucket's keys. no_such_bucket, busy.
    caf::replies_to<list_atom, storage::metadata::listing_query>::with<listing_page>,
    // HTTP gateway, lifecycle → a page of the uploads in progress. no_such_bucket, busy.
    caf::replies_to<list_atom, storage::metadata::uploads_query>::with<uploads_listing>,
    // HTTP gateway, lifecycle → a page of the versions of objects. no_such_bucket, busy.
    caf::replies_to<list_atom, storage::metadata::versions_query>::with<versions_listing>,
    // HTTP gateway → an upload and a page of its parts. no_such_bucket, no_such_upload, busy.
    caf::replies_to<parts_atom, upload_query>::with<found_upload>,
    // HTTP gateway → an object and a page of its parts. no_such_bucket, no_such_key, no_such_version, delete_marker,
    // busy.
    caf::replies_to<parts_atom, object_parts_query>::with<found_parts>,
    // HTTP gateway, admin port, backfill → an access key and buckets; no names: a barrier. busy, io_error.
    caf::replies_to<access_atom, access_query>::with<found_access>,
    // admin port → a page of the access keys. busy.
    caf::replies_to<list_atom, keys_query>::with<key_list>,
    // HTTP gateway → users, groups or managed policies. no_such_identity, busy.
    caf::replies_to<list_atom, storage::metadata::identity_query>::with<found_identities>,
    // ingest, HTTP gateway, admin port, reaper, lifecycle, backfill, membership, admin_service, start-up code → durable
    // and visible when answered. The command's own refusals, no_space, read_only, io_error, busy, too_large,
    // unsupported (of a feature level that the cluster does not have yet), session_ended, timeout (outcome unknown).
    // The actor fills in the stamp's session and sequence when they are 0.
    caf::replies_to<commit_atom, command_box>::with<committed>,
    // ingest, reaper (to learn the session) → a new blob id of this node's live session. no_space, read_only,
    // no_leader.
    caf::replies_to<new_blob_atom>::with<blob_id>,
    // reaper → at most so many buried blobs that no running read needs, oldest first. io_error, busy.
    caf::replies_to<buried_atom, std::uint32_t>::with<buried_list>,
    // reaper → the ids among these whose blobs the log calls dead. io_error, busy.
    caf::replies_to<dead_atom, chunk_ids>::with<chunk_ids>,
    // link server → a request of another node (consensus, submit, barrier, snapshot), answered through its responder.
    caf::reacts_to<peer_atom, peer_call>,
    // membership, admin_service, lifecycle, cluster_member → the status of the log. unsupported on a node that is no
    // member of a cluster.
    caf::replies_to<status_atom>::with<log_status_ptr>,
    // membership, admin_service → whether the leader took the change (cluster::raft::accepted).
    caf::replies_to<change_atom, log_change>::with<std::uint8_t>,
    // membership, admin_service, cluster_member (before the node stops) → whether the transfer of leadership to that
    // node began (cluster::raft::accepted).
    caf::replies_to<transfer_atom, node_number>::with<std::uint8_t>,
    // itself: a job on an executor finished; runs its completion on the actor.
    caf::reacts_to<completion>,
    // itself, each second: overdue requests, a session that could not begin.
    caf::reacts_to<tick_atom>>;

// One download: keeps at most `window` slices outstanding and releases them in order to its streamer.
using sequencer_actor = caf::typed_actor<
    // streamer: the socket has taken this many slices; their buffers are free again. `starving`: the socket then had
    // nothing left to send.
    caf::reacts_to<credit_atom, std::uint32_t, bool>,
    // streamer: stop, drop everything.
    caf::reacts_to<cancel_atom>,
    // streamer: the parts of the manifest that the sequencer asked for.
    caf::reacts_to<parts_atom, part_list>,
    // buffer pool: the buffer that the sequencer waited for.
    caf::reacts_to<buffer_atom, buffer_grant>,
    // another download's sequencer, through the cache: the end of a read that this one waits for too.
    caf::reacts_to<shared_read_end>,
    // itself: a wait or a back-off has ended.
    caf::reacts_to<tick_atom>>;

// One HTTP response with a body from the store: look-up, plan, head, bytes, abort.
using streamer_actor = caf::typed_actor<
    // sequencer: the next slice in order. `index` counts from 0.
    caf::reacts_to<slice_atom, std::uint64_t, slice>,
    // sequencer: a slice cannot be read. Its last message.
    caf::reacts_to<failed_atom, failure>,
    // download_client: the socket has taken all writes up to and including this number.
    caf::reacts_to<written_atom, std::uint64_t>,
    // download_client: the client has disconnected or is too slow, or the node stops.
    caf::reacts_to<gone_atom>,
    // sequencer: needs the manifest's parts from this object offset on.
    caf::reacts_to<parts_atom, std::uint64_t>>;

// One upload: grants empty buffers to the connection, writes the filled ones, digests the body concurrently with the
// writes, commits at the end.
using ingest_actor = caf::typed_actor<
    // upload_client: the next bytes of the body, in order. All but the last fill their buffer.
    caf::reacts_to<body_atom, slice>,
    // upload_client, with grants on demand: bytes have arrived and no buffer is free; requests one grant.
    caf::reacts_to<want_atom>,
    // upload_client: the body is complete.
    caf::reacts_to<body_end_atom, body_end>,
    // upload_client: the client has disconnected or sent too little, or the node stops.
    caf::reacts_to<gone_atom>,
    // buffer pool: the buffer that the upload waited for.
    caf::reacts_to<buffer_atom, buffer_grant>,
    // itself: a piece of the body was digested.
    caf::reacts_to<completion>,
    // itself: a wait has ended.
    caf::reacts_to<tick_atom>>;

// Deletes the chunks that the log calls dead: buried blobs, and chunks of ended sessions, found by walking the stores.
using reaper_actor = caf::typed_actor<
    // itself, each second.
    caf::reacts_to<tick_atom>>;

// Executes the lifecycle rules of buckets (actors/upkeep/lifecycle.hpp).
using lifecycle_actor = caf::typed_actor<
    // itself, each hour.
    caf::reacts_to<tick_atom>>;

// Answers the requests of operators (actors/members/admin_service.hpp).
using admin_service_actor = caf::typed_actor<
    // admin port → the cluster's status from the leader, or from this node when there is no leader. no_leader (this
    // node has no status yet).
    caf::replies_to<status_atom>::with<cluster_status_ptr>,
    // admin port → what was done, as text for the operator. invalid_argument, not_found, precondition_failed,
    // no_leader.
    caf::replies_to<admin_command_atom, admin_command>::with<std::string>,
    // link server → a request that the admin_service of another node forwards (operator_messages.hpp).
    caf::reacts_to<peer_atom, peer_call>,
    // itself: a job on an executor finished or a peer answered; runs its completion on the actor.
    caf::reacts_to<completion>,
    // itself, each second: updates what metrics show.
    caf::reacts_to<tick_atom>>;

// One node's part in the membership of its cluster.
using membership_actor = caf::typed_actor<
    // link server → a request of another node: join, report, members.
    caf::reacts_to<peer_atom, peer_call>,
    // admin_service → the reports of all members; empty on a node that does not lead.
    caf::replies_to<status_atom>::with<member_reports_ptr>,
    // itself: a job on an executor finished or a peer answered; runs its completion on the actor.
    caf::reacts_to<completion>,
    // itself, each second.
    caf::reacts_to<tick_atom>>;

// Fetches the chunks that this node is to own, drops those that moved to other nodes.
using backfill_actor = caf::typed_actor<
    // itself: a job on an executor finished or a buffer was granted; runs its completion on the actor.
    caf::reacts_to<completion>,
    // itself, each second.
    caf::reacts_to<tick_atom>>;

// Reads and verifies the chunks on the disks of a standalone node (actors/upkeep/scrubber.hpp), or the rows of any
// node's metadata (actors/upkeep/metadata_scrub.hpp).
using scrubber_actor = caf::typed_actor<
    // itself: a job on an executor finished; runs its completion on the actor.
    caf::reacts_to<completion>,
    // itself, each second.
    caf::reacts_to<tick_atom>>;

} // namespace cairn::actors
