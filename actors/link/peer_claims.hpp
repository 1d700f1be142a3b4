// Who may say what over a node link. A connection's other end is one node: on TLS links the one that its certificate
// names, else the one that its hello names. Whatever a message says of its sender must be about that node. Beyond that
// a member is trusted with the metadata, all of which it holds. Pure functions; errors: invalid_argument, with a text
// for the operator.
#pragma once

#include "actors/link/wire/hello.hpp"
#include "cluster/cluster_identity.hpp"
#include "storage/metadata/commands/commands.hpp"

#include <vector>

namespace cairn::actors {

// The message names `node` as its sender.
result<void> speaks_as(const link::peer& from, const storage::uuid& node);

// A command that another node hands in for the log: a writer session is begun by its own node only, because that ends
// the session of the node's earlier start and raises the incarnation that the cluster believes.
result<void> may_submit(const link::peer& from, const storage::metadata::command& c);

// Of the members that another node tells, those that may be let in: none that this node knows to be removed, nor one
// that it knows by another number, and not more than a cluster has. `known`: as the own layout has them, by number.
std::vector<storage::known_member> believable(std::vector<storage::known_member> told,
                                              std::span<const storage::metadata::node_row> known);

} // namespace cairn::actors
