#include "cli/bench/bench_command.hpp"

#include <CLI/CLI.hpp>

namespace cairn::cli {

void add_bench_command(CLI::App& app, int& exit_code) {
  auto* bench = app.add_subcommand("bench", "Measure: downloads in this process, or a running server");
  bench->require_subcommand(1);
  add_bench_retrieve_command(*bench, exit_code);
  add_bench_load_commands(*bench, exit_code);
}

} // namespace cairn::cli
