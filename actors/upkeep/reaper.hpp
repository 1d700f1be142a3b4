// Deletes the chunks that the log calls dead. Each second it frees unreferenced manifests in steps, erases buried blobs
// that no running read needs from every disk, and then removes them from the log's list (in this order: after a crash
// in between the blobs are erased again). At the start and then hourly it walks the chunks of each disk and erases
// those whose blobs the log calls dead: chunks of uploads that a crash cut off, or of a disk that was away when its
// blobs were buried.
//
// A disk that fails an erase (other than busy or timeout) does not delay the others; its chunks wait for a walk.
// Bounded: one page of at most page_chunks ids is in flight at a time, a walk reads at most walk_pages pages a second.
#pragma once

#include "actors/protocol/node.hpp"

namespace cairn::actors {

struct reaper_options {
  std::chrono::milliseconds interval{1000};
  std::chrono::minutes walk_every{60};
  std::size_t page_chunks = 1024, walk_pages = 10;
};

reaper_actor spawn_reaper(caf::actor_system& system, const services& s, reaper_options options = {});

} // namespace cairn::actors
