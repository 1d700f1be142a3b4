// The keys that seal the secrets of access keys, of a node's configuration (auth.sealing_key_file, auth.sealing_key).
// Read at the start.
#pragma once

#include "base/file_system.hpp"
#include "base/secrets/key_ring.hpp"
#include "config/config.hpp"

#include <memory>

namespace cairn::actors {

// null: none are configured. invalid_argument: a line that is no key; the errors of read_small_file. Texts name the
// setting, and show no key.
result<std::shared_ptr<const secrets::key_ring>> load_sealing_keys(file_system& files,
                                                                   const config::auth_settings& settings);

} // namespace cairn::actors
