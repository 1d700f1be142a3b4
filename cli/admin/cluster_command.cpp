#include "cli/admin/cluster_command.hpp"

#include <CLI/CLI.hpp>

namespace cairn::cli {

void add_cluster_command(CLI::App& app, int& exit_code) {
  auto* cluster = app.add_subcommand("cluster", "Look after a cluster: certificates, status, members, backups");
  cluster->require_subcommand(1);
  add_cluster_certs_command(*cluster, exit_code);
  add_cluster_admin_commands(*cluster, exit_code);
  add_cluster_rescue_commands(*cluster, exit_code);
}

} // namespace cairn::cli
