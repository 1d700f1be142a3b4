// The cluster as one node knows it, and what an operator may ask of it: plain values between the cluster's actors and
// the admin port. Bytes, and times in milliseconds since 1970.
#pragma once

#include "cluster/auto_out.hpp"
#include "storage/metadata/rows/cluster_rows.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn::actors {

enum class metadata_role : std::uint8_t { none, standby, voter }; // what a node keeps of the metadata

struct cluster_node_status {
  storage::node_number number = 0;
  storage::uuid id{};
  std::string address, zone;
  std::uint32_t weight = 0;
  storage::metadata::node_state state = storage::metadata::node_state::active;
  bool up = false;
  storage::wall_ms since = 0; // up or down since; 0: not known
  metadata_role role = metadata_role::none;
  std::uint32_t partitions_owned = 0, partitions_incoming = 0; // complete there; still to come
  // As it last reported; a capacity of 0: not yet. `used` is of the file systems, `data` of the chunks on them.
  std::uint64_t used_bytes = 0, capacity_bytes = 0, data_bytes = 0;
  std::uint64_t applied_index = 0;
  std::string fault; // why its copy of the metadata is out of service, in a word or two; empty: it is not
  std::uint64_t closed_disks = 0;
  storage::wall_ms certificate_end = 0; // of its links; 0: not known
  friend bool operator==(const cluster_node_status&, const cluster_node_status&) = default;
};

// Has a certificate, asks to join, and waits for `cairn cluster add ID`.
struct waiting_status {
  storage::uuid id{};
  std::string address;
  friend bool operator==(const waiting_status&, const waiting_status&) = default;
};

struct cluster_status {
  std::string name;
  storage::uuid id{};
  std::uint8_t replicas = 0, write_quorum = 0; // 0: a majority
  storage::layout_epoch epoch = 0;
  std::optional<storage::node_number> leader; // nothing: there is none, or it is not known here
  std::uint64_t term = 0;
  storage::node_number self = 0;
  storage::wall_ms now = 0;
  std::vector<cluster_node_status> nodes; // by number, without those that were removed
  bool deletions_held = false;            // until an operator releases them
  // Chunks that a commit found missing; the bytes are an estimate: new copies of partitions at their mean size. Too few
  // copies: fewer complete ones on nodes that are up than replicas, or than there are nodes for.
  std::uint64_t repairs_waiting = 0, bytes_to_move = 0, partitions_under_replicated = 0;
  // Members of the log that vote, by number, as a majority of them knows it; also one that was removed, until its vote
  // is taken away. `voters_next`: those that are to vote; empty when they do already.
  std::vector<storage::node_number> voters, voters_next;
  std::uint64_t chunks_lost = 0;       // that no owner has and nobody has given up; on the leader
  cluster::out_decision auto_out;      // on the leader: why members that are away for long are not taken out
  std::vector<waiting_status> waiting; // on the leader
  friend bool operator==(const cluster_status&, const cluster_status&) = default;
};

enum class admin_verb : std::uint8_t { // the numbers travel
  drain = 1,                           // others take over what the node has
  activate,                            // it gets a share again, after drain or when it was out
  remove,                              // final; refused while it owns something
  weight,
  zone,
  repair,    // look for missing copies now
  deletions, // hold them (number 1) or let them go on (0)
  voters,    // these nodes vote on the metadata, no others
  lost,      // tell which objects need chunks that no node has
  forget,    // give up those chunks: nothing waits for them any more
  add,       // invite a node: one that has a token, or that a certificate names
};

struct admin_command {
  admin_verb kind{};
  storage::node_number node = 0; // of drain, activate, remove, weight, zone
  std::uint32_t number = 0;      // of weight and deletions; of add: seconds until it expires
  std::string zone;
  std::vector<storage::node_number> nodes; // of voters, rising
  storage::uuid invited{};                 // of add: the node; all zero: whoever has the token
  storage::metadata::token_hash token{};   // of add: the hash of the token; all zero: made by the node that is asked
  friend bool operator==(const admin_command&, const admin_command&) = default;
};

} // namespace cairn::actors
