// The status of the cluster as JSON and as text, and commands of operators in the parameters of a request. The admin
// API (api_table.cpp) has both under /v1; the paths here are those of older builds, which their commands use. Pure.
//
//   GET /cluster               application/json, one object: the members of the schema `cluster` (api_schemas.cpp)
//   GET /cluster?format=text   the same as a table for people
//   GET /cluster?format=join   what a new node's configuration must have, as TOML; NEW-NODE stands for its host,
//                              JOIN-TOKEN for the token
//   POST /cluster/command?kind=drain|activate|remove&node=NODE
//                        ?kind=weight&node=NODE&value=0..1000000000    ?kind=zone&node=NODE&value=TEXT
//                        ?kind=repair|lost|forget-lost          ?kind=voters&node=NODE,NODE,…
//                        ?kind=deletions&value=hold|release
//                        ?kind=add&value=SECONDS[&id=UUID]: invites a node for so long, 1 to 2592000; answers a join
//                        token, or with an id lets the node of that identity in, which its certificate proves
//     NODE is a node's number, its address, or its id or the id's first 4 or more characters. The header Cairn-Token
//     must be there, with the node's admin token. It is what no web page can send.
#pragma once

#include "actors/protocol/admin_command.hpp"
#include "actors/protocol/cluster_status.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "net/wire/grammar/uri.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cairn::net {

json_object cluster_object(const actors::cluster_status& s);
json_object moves_object(const actors::cluster_status& s); // the schema `moves`
json_array nodes_json(const actors::cluster_status& s);
std::string cluster_text(const actors::cluster_status& s);
std::string join_text(const actors::cluster_status& s);

// The command has the nodes' names as the request gives them. invalid_argument: the text says what is missing or wrong.
result<actors::admin_command> parse_admin_command(const request_target& asked);

// Whether a request with this header Cairn-Token may change something. `token`: the node's, not empty. The error's text
// says what is wrong.
result<void> may_command(const std::optional<std::string_view>& sent, std::string_view token);

constexpr std::uint32_t invitation_seconds_max = 30 * 24 * 3600;

} // namespace cairn::net
