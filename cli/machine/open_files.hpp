// File descriptors: the node raises its soft limit to the hard one, and limits client connections so that enough remain
// for the disks, the peers and the admin port.
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

// The settings with the connections that fit. Fewer than configured are logged.
config::settings fitted(config::settings settings, std::uint64_t descriptors);

} // namespace cairn::cli
