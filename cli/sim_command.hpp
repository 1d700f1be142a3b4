// `cairn sim`: runs simulated nodes in virtual time, one run per seed, and prints every seed that failed a check with
// the command that replays it. Exit status 1 if one failed.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_sim_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
