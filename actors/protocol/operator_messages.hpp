// Messages between nodes for an operator: the bytes after the kind byte `membership` (actors/link/peer_service.hpp).
// Integers as in base/codec.hpp.
//
//   request  version:u8 what:u8 …                         version: 1, also of answers; of commands with names 2
//     1 status                                        → version:u8 status
//     2 command  kind:u8 node:u16 number:u32 zone:s numbers [node:16 token:32] [repeated:u8 count:v name:s*]
//                                                     → version:u8 text:s
//                kind: admin_verb; node and token of `add` alone; the names with version 2, in place of numbers
//     3 scan now for missing and damaged chunks       → version:u8 text:s (empty)
//   status   name:s id:16 replicas:u8 write_quorum:u8 deletions_held:u8 epoch:v leader:v term:v self:u16 now:u64
//            repairs:v to_move:v under_replicated:v count:v node* voters:numbers lost:v voters_next:numbers
//            pause:u8 waiting:numbers because:numbers [faults count:v (id:16 address:s)* count:v certificate_end:u64*]
//            leader: 0 for none, otherwise its number + 1; pause: cluster::out_pause. The part in brackets is left out
//            when all of it would be empty, so that older builds can read the status: faults; the nodes that wait to
//            join; the end of each node's certificate, of all nodes or of none.
//   faults   count:v (number:u16 fault:s closed:v)*      of the nodes that have a fault or a closed disk
//   node     number:u16 id:16 address:s zone:s weight:v state:u8 up:u8 since:u64 role:u8 owned:v incoming:v used:v
//            capacity:v data:v applied:v                  since and certificate_end: ms since 1970
//
// s: string, v: varint, numbers: count:v (number:u16)*. A version that this build does not know is refused with
// `unsupported`, malformed bytes with `corrupt`.
#pragma once

#include "actors/protocol/admin_command.hpp"
#include "actors/protocol/cluster_status.hpp"
#include "base/error.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace cairn::actors {

struct status_request {};
struct repair_scan_request {};
using admin_request = std::variant<status_request, admin_command, repair_scan_request>;

std::string encode(const admin_request& r);
result<admin_request> decode_admin_request(std::string_view bytes);

std::string encode(const cluster_status& s);
result<cluster_status> decode_cluster_status(std::string_view bytes);
std::string encode_done(std::string_view text);
result<std::string> decode_done(std::string_view bytes);

} // namespace cairn::actors
