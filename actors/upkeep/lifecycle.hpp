// Makes the lifecycle rules of buckets come true, and aborts uploads that nobody completes: on a node alone, or the one
// that leads its cluster, walks every bucket that may have such, page by page, and commits what they want. What it
// deletes is deleted as a client would: the object's place in its history travels along, so that an object that was
// written anew meanwhile stays. A walk that was cut off by a crash or a new leader begins anew; everything it does may
// be done twice.
//
// A bucket that fails (its rows can't be read, the metadata are busy) waits for the next walk and holds up no other;
// one that was removed, made anew or got other rules meanwhile is left alone until then.
//
// Bounded: one page of at most page_rows is looked at at a time, its commands are answered before the next one.
#pragma once

#include "actors/protocol/node.hpp"

namespace cairn::actors {

struct lifecycle_options {
  std::chrono::milliseconds day{std::chrono::hours{24}}; // shorter ones for experiments
  std::chrono::milliseconds walk_every{std::chrono::hours{1}};
  std::chrono::milliseconds upload_age_max{0}; // of uploads in parts; 0: any
  std::uint32_t page_rows = 500;
};

lifecycle_actor spawn_lifecycle(caf::actor_system& system, const services& s, lifecycle_options options = {});

} // namespace cairn::actors
