// `cairn sim`: runs simulated nodes under virtual time, a run a seed, and prints every seed that failed a check with
// the command that runs it again. Exit status 1 when one did.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_sim_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
