// `cairn bench …`: measurements. `retrieve` runs downloads through the node's actors inside this process; `sink`,
// `source`, `fill` and `list` are load generators that speak HTTP over plain blocking sockets, whose own cost is small;
// they work with any server. They print one JSON object.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_bench_command(CLI::App& app, int& exit_code);
void add_bench_retrieve_command(CLI::App& bench, int& exit_code);
void add_bench_load_commands(CLI::App& bench, int& exit_code);

} // namespace cairn::cli
