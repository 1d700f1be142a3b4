// The status of the cluster as JSON and as text, and commands of operators in the parameters of a request. The admin
// API (api_table.cpp) has both under /v1; the paths here are those of older builds, which their commands use. Pure.
//
//   GET /cluster               application/json, one object: the members of the schema `cluster` (api_schemas.cpp)
//   GET /cluster?format=text   the same as a table for people
//   GET /cluster?format=join   what a new node's configuration must have, as TOML; NEW-NODE stands for its host,
//                              JOIN-TOKEN for the token
//   POST /cluster/command?kind=VERB[&node=NODE[,NODE…]][&value=VALUE][&id=UUID]
//     VERB: a row of actors/protocol/admin_command.hpp, which says whether it takes NODE and VALUE.
//     NODE: a node's number, its address, or its id or the id's first 4 or more characters.
//     id: of `add`: lets the node of that identity in, which its certificate proves; without it a join token is made.
//     The header Cairn-Token must carry the node's admin token, which web pages cannot send.
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

// The arguments of a verb as a request gives them; null: none is given. They must outlive the call only.
struct verb_arguments {
  const std::string *node = nullptr, *value = nullptr, *id = nullptr;
};
// The command has the nodes' names as the request gives them. invalid_argument: the text says what is missing or wrong.
result<actors::admin_command> make_admin_command(const actors::admin_verb_row& verb, const verb_arguments& given);
// Of the query of /cluster/command.
result<actors::admin_command> parse_admin_command(const request_target& asked);

// Whether a request with this header Cairn-Token may change something. `token`: the node's, not empty. The error's text
// says what is wrong.
result<void> may_command(const std::optional<std::string_view>& sent, std::string_view token);

constexpr std::uint32_t invitation_seconds_max = 30 * 24 * 3600;

} // namespace cairn::net
