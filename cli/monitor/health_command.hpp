// `cairn health`: what /health/ready of a node answers, for health checks of containers and for scripts.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

// Exit codes: 0 ready, 1 not ready or not reached.
void add_health_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
