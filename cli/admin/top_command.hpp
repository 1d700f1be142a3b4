// `cairn top`: what a node and its cluster do now, in a terminal.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

// Ends by Ctrl-C. Exit codes: 0 shown once; 1 the node was not reached.
void add_top_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
