#include "cli/admin/config_command.hpp"

#include "config/keys.hpp"

#include <cstdlib>
#include <iostream>
#include <memory>
#include <ostream>

namespace cairn::cli {

namespace {

void add_overrides(CLI::App& command, config_options& options) {
  command
      .add_option("--set", options.overrides,
                  "Override one key, e.g. --set storage.chunk_size=4MiB; the value is TOML, a bare word is a string")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
}

void add_check(CLI::App& config, int& exit_code) {
  auto* command = config.add_subcommand("check", "Check a file and print every problem with its line and column");
  auto options = std::make_shared<config_options>();
  command->add_option("FILE", options->file, "The file; without one the embedded defaults are checked");
  add_overrides(*command, *options);
  command->callback([options, &exit_code] {
    if (!load_for_command(*options, std::cerr)) {
      exit_code = exit_wrong_config;
      return;
    }
    std::cout << (options->file.empty() ? "the defaults" : options->file) << ": no problems\n";
  });
}

void add_show(CLI::App& config, int& exit_code) {
  auto* command = config.add_subcommand("show", "Print the settings in effect as TOML");
  auto options = std::make_shared<config_options>();
  add_config_options(*command, *options);
  command->callback([options, &exit_code] {
    if (const auto settings = load_for_command(*options, std::cerr))
      std::cout << config::to_toml(*settings, false, false);
    else
      exit_code = exit_wrong_config;
  });
}

} // namespace

void add_config_options(CLI::App& command, config_options& options) {
  command.add_option("-c,--config", options.file, "TOML file; without one the embedded defaults apply")
      ->type_name("FILE");
  add_overrides(command, options);
}

std::vector<std::string> overrides_in_effect(const config_options& options) {
  std::vector<std::string> out;
  for (const auto& [variable, key] :
       {std::pair{"CAIRN_ROOT_ACCESS_KEY", "auth.root_access_key="},
        std::pair{"CAIRN_ROOT_SECRET_KEY", "auth.root_secret_key="},
        std::pair{"CAIRN_SEALING_KEY", "auth.sealing_key="}, std::pair{"CAIRN_ADMIN_TOKEN", "admin.token="},
        std::pair{"CAIRN_JOIN_TOKEN", "cluster.join_token="}}) {
    const char* value = std::getenv(variable);
    if (value && *value) out.push_back(key + config::toml_quoted(value));
  }
  out.insert(out.end(), options.overrides.begin(), options.overrides.end());
  return out;
}

void print_problems(const std::vector<config::problem>& problems, std::ostream& errors) {
  for (const auto& p : problems) errors << to_string(p) << '\n';
  errors << problems.size() << (problems.size() == 1 ? " problem" : " problems") << " in the configuration\n";
}

std::optional<config::settings> load_for_command(const config_options& options, std::ostream& errors) {
  auto loaded = config::load_file(options.file, overrides_in_effect(options));
  if (loaded.problems.empty()) return std::move(loaded.value);
  print_problems(loaded.problems, errors);
  return std::nullopt;
}

void add_config_command(CLI::App& app, int& exit_code) {
  auto* config = app.add_subcommand("config", "Check, show or explain the configuration");
  config->require_subcommand(1);
  add_check(*config, exit_code);
  add_show(*config, exit_code);
  config->add_subcommand("defaults", "Print a file with every key, its default and its meaning")->callback([] {
    std::cout << config::to_toml({}, true);
  });
  config->add_subcommand("reference", "Print docs/configuration.md")->callback([] {
    std::cout << config::reference_markdown();
  });
}

} // namespace cairn::cli
