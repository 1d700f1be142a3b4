// What a node may claim over a link. The other end of a connection is one node: on TLS links the one that its
// certificate names, otherwise the one that its hello names. Everything that a message says about its sender must be
// about that node. Apart from that a member is trusted with the metadata, all of which it holds. Pure functions;
// errors: invalid_argument, with a text for the operator.
#pragma once

#include "actors/link/wire/hello.hpp"
#include "cluster/cluster_identity.hpp"
#include "storage/metadata/commands/commands.hpp"

#include <vector>

namespace cairn::actors {

// Checks that `from` is the node that the message names as its sender.
result<void> check_sender(const link::peer& from, const uuid& node);

// Checks a command that another node submits to the log: only the node itself may begin its writer session, because
// that ends the session of the node's earlier start and raises the incarnation that the cluster accepts.
result<void> may_submit(const link::peer& from, const storage::metadata::command& c);

// Filters the members that another node sent: removes those that this node knows as removed or by another number, and
// limits them to the size of a cluster. `known`: the rows of the local layout, by number.
std::vector<cluster::known_member> plausible_members(std::vector<cluster::known_member> reported,
                                                     std::span<const storage::metadata::node_row> known);

} // namespace cairn::actors
