// The commands of membership and data placement (part of the variant in commands.hpp; feature level 2). The decisions
// are made outside (cluster/layout/layout_plan.hpp) and travel as values: applying one checks that it fits the rows,
// and computes no placement.
//
// Every command that changes nodes or owners raises the layout's epoch by one and answers it
// (command_result::version); one that finds nothing to change answers the present epoch. All but create_cluster are
// refused with not_found when there is no cluster or no such node, with invalid_argument for values outside the
// documented bounds.
#pragma once

#include "storage/metadata/rows/cluster_rows.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn::storage::metadata {

struct new_node {
  uuid id{};
  std::string address, zone;
  std::uint32_t weight = 1; // up to node_weight_max; 0: holds no chunks
  std::uint64_t incarnation = 0;
};

// Founds the cluster: `first` gets number 0 and owns every partition, so its weight is not 0. The same again answers
// the same; precondition_failed when there is a cluster of another id.
struct create_cluster {
  uuid id{};
  std::string name;
  std::uint8_t replicas = 3, write_quorum = 0;
  wall_ms now = 0;
  new_node first;
};

// The node is a member, but owns nothing before set_targets says so. Its number is command_result::more. The same again
// answers the same. precondition_failed when the id belonged to a removed node; too_large above nodes_max, and from
// feature level 8 on when there are members_max members.
// With an invitation (feature level 8) the command consumes it; invalid_argument: there is none such, it was used, it
// has expired, it is another node's. A node that is a member already consumes nothing.
struct used_invitation {
  token_hash token{};
  uuid node{};
  wall_ms now = 0;
};
struct add_node {
  new_node node;
  std::optional<used_invitation> invited = {};
};

// Lets one more node in; ends the time in which the cluster is founded. Sweeps the invitations that have expired by
// `now`. too_large: invitations_max others have not. The same token or node again replaces its invitation. Feature
// level 8.
struct invite_node {
  invitation what;
  wall_ms now = 0;
};

// What is given replaces what is there. precondition_failed: the node was removed; a state of `removed` is
// invalid_argument.
struct set_node {
  node_number node = 0;
  std::optional<std::string> address, zone;
  std::optional<std::uint32_t> weight;
  std::optional<node_state> state;
};

// Final: its id is refused for ever, and its writer session ends. precondition_failed while it owns a partition,
// current or target.
struct remove_node {
  node_number node = 0;
};

struct partition_target {
  partition_id partition = 0;
  owner_list target;
};
// Replaces targets; `current` stays until moved. `epoch` must be the one that follows the present: a plan made from an
// older layout is refused with precondition_failed. Partitions rise strictly; a target names 1 to owners_max nodes that
// were not removed.
struct set_targets {
  layout_epoch epoch = 0;
  std::vector<partition_target> targets;
};

// The targets of these partitions hold everything: they are current now. `epoch`: of the layout under which their last
// comparison began. Passed over (and counted in command_result::more): partitions whose owners changed after it, those
// for whose present owners some live session has not acknowledged the epoch, and those of which a new owner lacks
// chunks by a repair row. Partitions rise strictly.
struct moved {
  layout_epoch epoch = 0;
  std::vector<partition_id> partitions;
};

// These chunks are on these nodes, or need not be any more. Rows that are not there are passed over.
struct confirm_replicas {
  std::vector<repair_row> repairs;
};

// Does not change the layout: a down node keeps its share until a plan says otherwise. A node that is down already
// stays so since the first time.
struct note_down {
  node_number node = 0;
  wall_ms now = 0;
};
// precondition_failed when the incarnation is lower than one that the log has seen (a restored old disk, an empty
// folder), or when the node was removed.
struct note_up {
  node_number node = 0;
  std::uint64_t incarnation = 0;
};

// Whatever this session wrote and did not commit yet, and whatever it will write, goes to the current and the target
// owners of that epoch or a later one. session_ended; invalid_argument for an epoch that is not there yet. A session
// begins with the epoch of its beginning acknowledged: its node reads the layout after that, before its first write.
struct acknowledge_epoch {
  session_id session = 0;
  layout_epoch epoch = 0;
};

// While deletion is held no chunk of a dead blob is deleted, and nothing about it is forgotten: after a restore or a
// recovery the log may not know everything that lies on the disks. Feature level 3. Needs no cluster.
struct hold_deletions {
  bool held = false;
};

// All members know the commands up to this level: from now on they may be sent. Feature level 5.
struct raise_feature_level { // never lowers it
  std::uint8_t level = 0;
};

// These chunks are lost, and given up (cluster_rows.hpp, `nobody`): rows of them are kept until their blob is reaped.
// Passed over: chunks of blobs that no object needs any more, or that blobs do not have. Feature level 5.
struct lost_chunks {
  blob_id blob;
  std::uint32_t first = 0, count = 0;
  friend auto operator<=>(const lost_chunks&, const lost_chunks&) = default;
};
struct give_up_chunks {
  std::vector<lost_chunks> chunks;
};

// Their encodings, called by commands.cpp.
void write(byte_writer& w, const create_cluster& c);
void write(byte_writer& w, const add_node& c);
void write(byte_writer& w, const set_node& c);
void write(byte_writer& w, const remove_node& c);
void write(byte_writer& w, const set_targets& c);
void write(byte_writer& w, const moved& c);
void write(byte_writer& w, const confirm_replicas& c);
void write(byte_writer& w, const note_down& c);
void write(byte_writer& w, const note_up& c);
void write(byte_writer& w, const acknowledge_epoch& c);
void write(byte_writer& w, const hold_deletions& c);
void write(byte_writer& w, const raise_feature_level& c);
void write(byte_writer& w, const give_up_chunks& c);
void write(byte_writer& w, const invite_node& c);
void read(byte_reader& r, create_cluster& c);
void read(byte_reader& r, add_node& c);
void read(byte_reader& r, set_node& c);
void read(byte_reader& r, remove_node& c);
void read(byte_reader& r, set_targets& c);
void read(byte_reader& r, moved& c);
void read(byte_reader& r, confirm_replicas& c);
void read(byte_reader& r, note_down& c);
void read(byte_reader& r, note_up& c);
void read(byte_reader& r, acknowledge_epoch& c);
void read(byte_reader& r, hold_deletions& c);
void read(byte_reader& r, raise_feature_level& c);
void read(byte_reader& r, give_up_chunks& c);
void read(byte_reader& r, invite_node& c);

} // namespace cairn::storage::metadata
