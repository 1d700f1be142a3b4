// One sequencer a download: turns ranges into chunk reads, keeps at most a window of slices on their way, releases them
// to the streamer in order, retries what fails. Every decision is in slice_planner, download_window and retry_policy.
//
// Memory: the buffer is reserved before the read is sent. The first reservation, and any made while nothing else is on
// its way, may be as small as one 64 KiB block and waits for memory (memory_wait, later memory_wait_midway) before
// slow_down; everything beyond only tries. So a stream always progresses with one block and uses whole chunks when
// there is room. Ends after its last slice was credited, after failed_atom, or on cancel_atom; then it holds no buffer,
// while a read that a disk still works on holds its own until it ends.
#pragma once

#include "actors/protocol/node.hpp"
#include "actors/protocol/ports.hpp"

namespace cairn::actors {

struct download_range_list {
  std::vector<byte_range> ranges; // of the object, in the order to send
  part_list first_parts;
  storage::account_ptr payer{}; // whose share of the memory; null: the node's own
};

// Linked to `owner`, which gets its slices.
sequencer_actor spawn_sequencer(caf::local_actor* parent, const services& s, download_range_list what,
                                streamer_actor owner);

} // namespace cairn::actors
