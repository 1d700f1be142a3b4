#include "actors/runtime/message_types.hpp"

#include "actors/protocol/messages.hpp"

namespace cairn::actors {

void register_message_types(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::cairn>();
}

} // namespace cairn::actors
