// The commands of membership and data placement (part of the variant in commands.hpp; feature level 2 unless stated
// otherwise). Plans are computed elsewhere (cluster/layout/layout_plan.hpp); the commands carry their results. Applying
// a command checks it against the rows and computes no placement.
//
// A command that changes the layout (nodes or owners) increments its epoch and returns it (command_result::version);
// one that changes nothing returns the present epoch. All but create_cluster are refused with not_found if there is no
// cluster or no such node; all with invalid_argument for values outside the documented bounds.
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

// Founds the cluster: `first` gets number 0 and owns every partition, so its weight must not be 0. Repeating the
// command returns the present epoch; precondition_failed: there is a cluster with another id.
struct create_cluster {
  uuid id{};
  std::string name;
  std::uint8_t replicas = 3, write_quorum = 0;
  wall_ms now = 0;
  new_node first;
};

// Adds a member, which owns nothing until set_targets. Returns its number in command_result::more; repeating the
// command returns the same number. precondition_failed: the id belongs to a removed node; too_large: nodes_max numbers
// are assigned or, from feature level 8 on, there are members_max members. An invitation (feature level 8) is consumed;
// invalid_argument: it does not exist, was used, has expired, or is another node's. For a node that is already a
// member, no invitation is consumed.
struct used_invitation {
  token_hash token{};
  uuid node{};
  wall_ms now = 0;
};
struct add_node {
  new_node node;
  std::optional<used_invitation> invited = {};
};

// Adds an invitation, and ends the founding of the cluster. Removes the invitations that have expired by `now`.
// too_large: there are invitations_max others. An invitation with the same token or node is replaced.
// precondition_failed: the node was removed. Feature level 8.
struct invite_node {
  invitation what;
  wall_ms now = 0;
};

// Replaces the given fields. precondition_failed: the node was removed; the state `removed` is invalid_argument.
struct set_node {
  node_number node = 0;
  std::optional<std::string> address, zone;
  std::optional<std::uint32_t> weight;
  std::optional<node_state> state;
};

// Removes a node permanently: its id is refused for ever, and its writer session ends. precondition_failed while it is
// a current or target owner of a partition.
struct remove_node {
  node_number node = 0;
};

struct partition_target {
  partition_id partition = 0;
  owner_list target;
};
// Replaces targets; `current` is not changed. `epoch` must be the present epoch + 1: a plan made from an older layout
// is refused with precondition_failed. Partitions are strictly ascending; a target has 1 to owners_max nodes that are
// not removed.
struct set_targets {
  layout_epoch epoch = 0;
  std::vector<partition_target> targets;
};

// Finishes moves: the targets of these partitions are complete and become current. `epoch`: of the layout under which
// their last comparison began. Skipped, and counted in command_result::more, are partitions whose owners changed after
// `epoch`, whose owners' epoch some live session has not acknowledged, or for which a new owner has an open repair
// (from feature level 7 on also a remaining owner, if the move drops replicas from owners that are not out). Partitions
// are strictly ascending.
struct moved {
  layout_epoch epoch = 0;
  std::vector<partition_id> partitions;
};

// Removes repairs: the nodes have these chunks, or need not have them. Repairs that do not exist are skipped.
struct confirm_replicas {
  std::vector<repair_row> repairs;
};

// Does not change the layout: a down node keeps its share until a plan changes it. The time of a node that is already
// down is kept.
struct note_down {
  node_number node = 0;
  wall_ms now = 0;
};
// precondition_failed: the incarnation is older than the recorded one (a restored or empty data directory), or the node
// was removed.
struct note_up {
  node_number node = 0;
  std::uint64_t incarnation = 0;
};

// The session's uncommitted and future writes all go to the current and target owners of this epoch or a later one.
// session_ended; invalid_argument: the epoch does not exist yet. A new session has acknowledged the epoch at its
// beginning, because its node reads the layout after that and before its first write.
struct acknowledge_epoch {
  session_id session = 0;
  layout_epoch epoch = 0;
};

// While deletion is held, no chunk of a dead blob is deleted, and the rows about it are kept: after a restore or a
// recovery the metadata may not know all blobs on the disks. Feature level 3. Needs no cluster.
struct hold_deletions {
  bool held = false;
};

// All members know the commands up to this level, so they may be used from now on. Feature level 5.
struct raise_feature_level { // never lowers it
  std::uint8_t level = 0;
};

// These chunks are lost and given up: repairs of node `nobody` (cluster_rows.hpp) record them until their blob is
// reaped. Skipped: chunks of blobs without references, and chunks beyond the end of a blob. Feature level 5.
struct lost_chunks {
  blob_id blob;
  std::uint32_t first = 0, count = 0;
  friend auto operator<=>(const lost_chunks&, const lost_chunks&) = default;
};
struct give_up_chunks {
  std::vector<lost_chunks> chunks;
};

// Encodings of the fields, called by commands.cpp.
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
