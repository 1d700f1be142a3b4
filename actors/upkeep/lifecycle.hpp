// Executes the lifecycle rules of buckets, and aborts old uploads that were never completed. On a standalone node, or
// on the leader of a cluster, it walks every bucket that has rules or uploads, page by page, and commits what the rules
// want. Objects are deleted as a client would delete them; each command names the version's place in the history, so an
// object that was rewritten meanwhile stays. A walk that a crash or a change of leader interrupted starts from the
// beginning; every step may be done twice.
//
// A bucket that fails (its rows cannot be read, the metadata is busy) waits for the next walk and does not delay the
// others. So does a bucket that was removed, recreated or given other rules during the walk. A standalone node passes
// over damaged rows.
//
// Bounded: one page of at most page_rows at a time; its commands are answered before the next page is read.
#pragma once

#include "actors/protocol/node.hpp"

namespace cairn::actors {

struct lifecycle_options {
  std::chrono::milliseconds day{std::chrono::hours{24}}; // shorter for tests
  std::chrono::milliseconds walk_every{std::chrono::hours{1}};
  std::chrono::milliseconds upload_age_max{0}; // of multipart uploads; 0: no limit
  std::uint32_t page_rows = 500;
};

lifecycle_actor spawn_lifecycle(caf::actor_system& system, const services& s, lifecycle_options options = {});

} // namespace cairn::actors
