// Plans: from a layout and a change of membership to the next layout, and the commands that make the metadata the same.
//
// A partition's targets are the best of a weighted rendezvous ranking of the members that hold chunks, those that are
// active and have a weight (placement.hpp): as far as there are enough zones, the best of each zone in turn. The
// ranking's rates are chosen such that members get the share of their weight (shares.hpp); with the zones' constraint:
// a zone gets its members' weight, at most one copy of each partition. So a plan is a function of the members alone;
// joining and leaving moves what the newcomer wins or the leaver had, and little else: within 10 % of that, but up to
// 40 % more when one of several zones outgrows the others, since then its older members change places too (balance
// lasts, a move is made once).
//
// Plans are made by one node at a time from the layout that it knows; the commands carry the epoch, and the metadata
// refuses a plan made from an older one. Pure functions. Cost: members × 16,384 scores and their sorting, some 100 ms
// for 50 members: on an executor, not where sockets are served.
#pragma once

#include "cluster/layout/layout.hpp"
#include "storage/metadata/commands/commands.hpp"

#include <variant>

namespace cairn::cluster {

// Whether the member gets targets.
bool holds_chunks(const member& m);

// One list of owners a partition; as many as there are replicas or members that hold chunks, of which there is one at
// least.
std::vector<owner_list> compute_targets(const layout& l);

// All that targets are computed from.
struct plan_base {
  struct place {
    member_index number = 0;
    std::uint32_t weight = 0;
    std::string zone;
    bool operator==(const place&) const = default;
  };
  std::vector<place> holders; // a number is one member's for ever
  std::size_t replicas = 0;   // 0: of no layout
  bool operator==(const plan_base&) const = default;
};
plan_base plan_base_of(const layout& l);

namespace change {
struct join { // a node that is no member and never was
  storage::metadata::new_node node;
};
struct set_state { // drain it, take it out, or back in
  member_index who = 0;
  member_state state = member_state::active;
};
struct set_weight {
  member_index who = 0;
  std::uint32_t weight = 1;
};
struct set_zone {
  member_index who = 0;
  std::string zone;
};
struct remove { // owns nothing any more
  member_index who = 0;
};
struct retarget {}; // the members are as they should be; their partitions perhaps not
} // namespace change
using layout_change = std::variant<change::join, change::set_state, change::set_weight, change::set_zone,
                                   change::remove, change::retarget>;

struct layout_plan {
  layout after;
  std::vector<storage::metadata::command> commands; // in this order, in one batch; empty when nothing changes
};

// Replaces `target` only; `current` stays until moved. A partition whose targets stay the same in another order is left
// as it is. invalid_argument: no such member, a removed one, a known id, values out of bounds, no active member with a
// weight would be left, removal of one that still owns something.
result<layout_plan> plan_change(const layout& l, const layout_change& c);

} // namespace cairn::cluster
