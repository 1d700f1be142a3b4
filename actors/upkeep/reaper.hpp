// Deletes chunks, by the log's word only. Each second: manifests without references are freed in steps, buried blobs
// that no running read can need are erased from every disk and then forgotten by the log (in this order: a crash in
// between erases again). At the start and then hourly it walks the chunks of each disk and erases those whose blobs the
// log calls dead: leftovers of uploads that a crash cut off, or of a disk that was away when its blobs were buried.
//
// A disk that fails an erase (other than busy or late) does not hold up the others; its leftovers wait for a walk.
// Bounded: one page of at most page_chunks ids is on its way at a time, a walk makes at most walk_pages pages a second.
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
