// Descriptors: the node raises its soft limit to the hard one, and takes no more client connections than leave enough
// of them for the disks, the peers and the operators' port. So clients cannot stop what does not serve them.
#pragma once

#include "config/config.hpp"

#include <cstdint>

namespace cairn::cli {

// What everything but clients' connections may need.
std::uint64_t descriptors_kept(const config::settings& settings);

// limits.connections, or what `descriptors` leave room for; 16 at least.
std::uint32_t connections_that_fit(const config::settings& settings, std::uint64_t descriptors);

// Raises the soft limit to the hard one: how many descriptors the process may have.
std::uint64_t raise_descriptor_limit();

// The settings with the connections that fit. Says in the log when they are fewer.
config::settings fitted(config::settings settings, std::uint64_t descriptors);

} // namespace cairn::cli
