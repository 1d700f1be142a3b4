// Registers the types of actors/protocol/messages.hpp with an actor system. Their inspection is compiled here only.
#pragma once

namespace caf {
class actor_system_config;
}

namespace cairn::actors {

void register_message_types(caf::actor_system_config& config);

} // namespace cairn::actors
