// Plans: from a layout and a change of membership to the next layout, and the commands that bring the metadata there.
//
// A partition's targets are the highest ranked members of a weighted rendezvous ranking of the members that hold
// chunks, which are active and have a weight (placement.hpp). If there are enough zones, each target is in another
// zone. The ranking's rates are chosen so that each member's share is proportional to its weight (shares.hpp). With
// zones, a zone gets the share of its members' total weight, limited to one replica of each partition. So the targets
// depend on the members alone. A join or leave moves the partitions that the new member wins or the old one had, and at
// most 10 % more; or up to 40 % more when one of several zones outgrows the others, since its older members then change
// places too. (Accepted: the move is made once, the balance lasts.)
//
// Any node may plan, from the layout that it knows. The commands carry the epoch, and the metadata refuses a plan that
// was made from an older layout. Pure functions. Cost: members × 16,384 scores and their sorting, some 100 ms for 50
// members: call it on an executor, not on a socket thread.
#pragma once

#include "cluster/layout/layout.hpp"
#include "storage/metadata/commands/commands.hpp"

#include <variant>

namespace cairn::cluster {

// Whether the member gets targets.
bool holds_chunks(const member& m);

// The targets of each partition: min(replicas, members that hold chunks) owners each. At least one member must hold
// chunks.
std::vector<owner_list> compute_targets(const layout& l);

// All inputs of compute_targets.
struct plan_base {
  struct place {
    member_index number = 0;
    std::uint32_t weight = 0;
    std::string zone;
    bool operator==(const place&) const = default;
  };
  std::vector<place> holders; // a member's number is never reused
  std::size_t replicas = 0;   // 0: no layout
  bool operator==(const plan_base&) const = default;
};
plan_base plan_base_of(const layout& l);

namespace change {
struct join { // a node that is not and never was a member
  storage::metadata::new_node node;
};
struct set_state { // draining, out or active
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
struct remove { // only a member that owns no partition
  member_index who = 0;
};
struct retarget {}; // the members stay the same; recompute the targets
} // namespace change
using layout_change = std::variant<change::join, change::set_state, change::set_weight, change::set_zone,
                                   change::remove, change::retarget>;

struct layout_plan {
  layout after;
  std::vector<storage::metadata::command> commands; // in this order, in one batch; empty when nothing changes
};

// Changes `target` only; `current` changes when the move is finished. A partition whose targets are the same in another
// order is not changed. invalid_argument: no such member, a removed member, a known id, values out of bounds, no active
// member with a weight would be left, removal of a member that owns partitions.
result<layout_plan> plan_change(const layout& l, const layout_change& c);

} // namespace cairn::cluster
