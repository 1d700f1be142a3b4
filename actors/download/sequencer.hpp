// One sequencer per download: turns ranges into chunk reads, keeps at most a window of slices outstanding, releases
// them to the streamer in order, retries failed reads. The decisions are in slice_planner, download_window and
// retry_policy.
//
// With a chunk cache (actors/chunks/chunk_cache.hpp) a slice is served from it if it is there. Other reads fill it,
// with buffers counted in limits.cache; concurrent downloads share one read of a chunk.
//
// Memory: the buffer of any other read is reserved before the read is sent. The first reservation, and any made while
// no other slice is outstanding, may be as small as one 64 KiB block; it waits for memory (memory_wait, later
// memory_wait_midway) before slow_down. All other reservations only try. So a stream always makes progress with one
// block, and uses whole chunks when memory is free. The sequencer ends after its last slice was credited, after
// failed_atom, or on cancel_atom. It then holds no buffer; a read that a disk is still executing holds its buffer until
// it ends.
#pragma once

#include "actors/protocol/node.hpp"
#include "actors/protocol/ports.hpp"

namespace cairn::actors {

struct download_range_list {
  std::vector<byte_range> ranges; // of the object, in the order to send
  part_list first_parts;
  account_ptr payer{}; // the account that buffers are charged to; null: the node's own
  trace_scope trace{};
};

// Linked to `owner`, which receives the slices.
sequencer_actor spawn_sequencer(caf::local_actor* parent, const services& s, download_range_list what,
                                streamer_actor owner);

} // namespace cairn::actors
