// `cairn top`: the load and the state of a node and its cluster, live in a terminal.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

// Ends by Ctrl-C. Exit codes: 0 shown once; 1 the node was not reached.
void add_top_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
