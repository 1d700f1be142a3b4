// Messages between nodes about the metadata and the membership: the bytes that follow the kind byte
// (actors/link/peer_service.hpp), and the bytes of the answers. Integers as in base/codec.hpp.
//
//   consensus    cluster/raft/raft_message.hpp                   → empty
//   submit       version:u8 batch                                → version:u8 count:varint outcome*
//     batch        storage::metadata::encode of commands
//     outcome      0 | 1 result:string      0: unknown, the command may have been or may still be applied; result: the
//                  encoding of a command_result by storage::metadata::encode
//   barrier      version:u8                                      → version:u8 index:varint [term:varint]
//                  term: present when the leader tells it, which it does to nodes of feature level 8 and later
//   snapshot     version:u8 index:u64 offset:u64                 → version:u8 index:u64 term:u64 servers_index:u64
//                  servers:string total:u64 checksum:u32 piece
//                  servers: a configuration (cluster/raft/raft_message.hpp); total: bytes of the whole state; checksum:
//                  CRC32C of the piece, which is the rest of the message
//                  index 0 requests the newest snapshot; the leader makes a new one when its snapshot is older than the
//                  index in `offset` (0: any will do). The requester then asks for the answer's index until
//                  offset = total.
//   join         version:u8 node name:string [proof:32]          → version:u8 cluster:16 name:string number:u16
//                  count:varint member*
//     node         id:16 address:string zone:string weight:varint incarnation:u64
//     member       number:u16 id:16 address:string
//     proof        with version 2: cluster/admission.hpp. A node that forwards a join has compared `node` with the
//                  identity at the other end of the link.
//   members      empty                                           → version:u8 count:varint member*
//   report       version:u8 node oldest_hold:u64 settled:u64 applied:u64 used:u64 capacity:u64 data:u64
//                  takes_writes:u8 complete_epoch:u64 count:varint partition:u16* lost_count:varint count:varint chunk*
//                  [fault:string closed:varint certificate_end:u64 [wall:u64]]                 → empty
//                  in brackets: present when something in them is not empty or 0. Senders leave them empty until all
//                  members have feature level 8, wall until 11. certificate_end, wall (its clock): ms since 1970
//     chunk        session:u64 number:u64 index:u32
//
// version: 1; a join with a proof has version 2.
//
// A version that this build does not know is refused with `unsupported`, malformed bytes with `corrupt`.
#pragma once

#include "cluster/admission.hpp"
#include "cluster/auto_out.hpp"
#include "cluster/cluster_identity.hpp"
#include "cluster/raft/raft_types.hpp"
#include "storage/metadata/commands/commands.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cairn::actors {

std::string encode_submit(std::span<const storage::metadata::command> batch);
result<std::vector<storage::metadata::command>> decode_submit(std::string_view bytes);

// nullopt: the outcome is unknown.
using command_outcomes = std::vector<std::optional<storage::metadata::command_result>>;
std::string encode_outcomes(const command_outcomes& outcomes);
result<command_outcomes> decode_outcomes(std::string_view bytes);

std::string encode_barrier();
result<void> decode_barrier(std::string_view bytes);
// The log index that a read must wait for, and the leader's term; term 0: not sent.
struct read_index {
  log_index index = 0;
  std::uint64_t term = 0;
};
std::string encode(const read_index& i);
result<read_index> decode_read_index(std::string_view bytes);

struct snapshot_request {
  std::uint64_t index = 0, offset = 0;
};
struct snapshot_piece {
  cluster::raft::snapshot_record record;
  std::uint64_t total = 0; // bytes of the whole state
  std::string bytes;
};
std::string encode(const snapshot_request& w);
result<snapshot_request> decode_snapshot_request(std::string_view bytes);
std::string encode(const snapshot_piece& p);
result<snapshot_piece> decode_snapshot_piece(std::string_view bytes); // corrupt also when the checksum is wrong

using known_members = std::vector<cluster::known_member>;

struct join_request {
  storage::metadata::new_node node;
  std::string cluster_name;
  std::optional<cluster::join_proof> proof = {}; // that the node has a join token
};
struct join_answer {
  uuid cluster{};
  std::string name;
  node_number number = 0;
  known_members members;
};
std::string encode(const join_request& j);
result<join_request> decode_join(std::string_view bytes);
std::string encode(const join_answer& j);
result<join_answer> decode_join_answer(std::string_view bytes);

std::string encode(const known_members& members);
result<known_members> decode_members(std::string_view bytes);

// The state of a node, as it reports it to the leader. The leader uses the newest report of each node while it is a few
// seconds old at most.
struct node_report {
  storage::metadata::new_node node;
  log_index oldest_hold = 0; // no read on the node needs a blob that was buried at or before this index
  layout_epoch settled = 0;  // no running upload of the node began under a layout older than this epoch
  log_index applied = 0;
  std::uint64_t used_bytes = 0, capacity_bytes = 0; // of the file systems that hold its disks
  std::uint64_t data_bytes = 0;                     // of its chunks
  bool takes_writes = true;
  // These partitions are complete on the node; the last comparison began under this epoch.
  layout_epoch complete_epoch = 0;
  std::vector<partition_id> complete;
  // Chunks that no owner has: some of them, and how many.
  std::vector<chunk_id> lost;
  std::uint64_t lost_count = 0;
  std::string fault; // why the node's copy of the metadata is out of service, in a word or two; empty: in service
  std::uint64_t closed_disks = 0;
  wall_ms certificate_end = 0; // the end of its link certificate; 0: none, or not told
  wall_ms wall = 0;            // its clock; 0: not told
};
std::string encode(const node_report& r);
result<node_report> decode_report(std::string_view bytes);

// The latest report of a member, as the leader received it. The leader's own report is among them.
struct received_report {
  steady_time at;
  steady_time healthy_at; // when the last report without a fault arrived
  node_report report;
  std::uint32_t feature_level = 0; // from the hello of the node's link; 0: no link of it was seen
};
// A node that waits for an operator's approval to join.
struct waiting_node {
  uuid id{};
  std::string address;
  steady_time asked; // when it last asked
};
struct member_reports {
  bool leads = false; // false: the rest is empty
  std::vector<waiting_node> waiting;
  std::map<node_number, received_report> by_node;
  cluster::out_decision auto_out; // the membership controller's last decision
};

} // namespace cairn::actors
