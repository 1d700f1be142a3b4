// `cairn serve`: runs a node until SIGTERM or SIGINT, re-reads its configuration on SIGHUP.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

// Exit codes: 0 stopped cleanly, 1 could not start or stop, 2 the configuration is wrong.
void add_serve_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
