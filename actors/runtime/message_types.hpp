// Makes the types of actors/protocol/messages.hpp known to an actor system. One file compiles their inspection.
#pragma once

namespace caf {
class actor_system_config;
}

namespace cairn::actors {

void register_message_types(caf::actor_system_config& config);

} // namespace cairn::actors
