#include "cli/monitor/health_command.hpp"

#include "cli/admin/admin_client.hpp"
#include "cli/client/command_support.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

namespace cairn::cli {

namespace {

result<void> health(const admin_address& options) {
  const auto answer = ask_admin(options, {"GET", "/health/ready", {}});
  if (!answer) return answer.error();
  std::puts("ready");
  return {};
}

} // namespace

void add_health_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("health", "Tell whether a node is ready, or why it is not");
  auto options = std::make_shared<admin_address>();
  add_admin_options(*command, *options);
  command->callback([options, &exit_code] { run_command(exit_code, [&] { return health(*options); }); });
}

} // namespace cairn::cli
