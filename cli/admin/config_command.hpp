// `cairn config check|show|defaults|reference`, and what other commands need to take a configuration from their command
// line. Problems go to standard error, one a line; a wrong configuration is exit status 2.
#pragma once

#include "config/load.hpp"

#include <CLI/CLI.hpp>

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace cairn::cli {

constexpr int exit_wrong_config = 2;

// --config FILE and --set key=value. Must outlive the parsing of the command line.
struct config_options {
  std::string file; // empty: the embedded defaults
  std::vector<std::string> overrides;
};
void add_config_options(CLI::App& command, config_options& options);

// What overrides the file: the root key of the environment (CAIRN_ROOT_ACCESS_KEY, CAIRN_ROOT_SECRET_KEY), then the
// command line's --set.
std::vector<std::string> overrides_in_effect(const config_options& options);

// Loads what the options name. nullopt: all problems are printed to `errors`; exit with exit_wrong_config.
std::optional<config::settings> load_for_command(const config_options& options, std::ostream& errors);

// One line each, then how many there are.
void print_problems(const std::vector<config::problem>& problems, std::ostream& errors);

void add_config_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
