// Finds the nodes that operators name in the layout. A name is a number, an address, an id, or the first 4 or more
// characters of an id; digits alone are a number. Pure.
#pragma once

#include "actors/protocol/admin_command.hpp"
#include "base/error.hpp"
#include "cluster/layout/layout.hpp"

namespace cairn::actors {

// Removed nodes are found only with `removed`. Errors: not_found; invalid_argument: the name matches several nodes.
result<node_number> find_node(const cluster::layout& l, std::string_view name, bool removed = false);

// The same command with numbers in place of names. Errors as above, and invalid_argument when a node is named twice. A
// repeated removal also finds a removed node: an earlier try may have removed it.
result<admin_command> with_numbers(const cluster::layout& l, admin_command c);

std::string numbers_text(const std::vector<node_number>& nodes); // "0, 1, 4"

} // namespace cairn::actors
