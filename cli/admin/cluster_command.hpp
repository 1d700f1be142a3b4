// `cairn cluster …`: certificates of the nodes (files only), and through the admin port of any node the cluster's
// status and an operator's commands.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_cluster_command(CLI::App& app, int& exit_code);

// Its parts, each in a file of its own.
void add_cluster_certs_command(CLI::App& cluster, int& exit_code);
void add_cluster_admin_commands(CLI::App& cluster, int& exit_code);
void add_cluster_rescue_commands(CLI::App& cluster, int& exit_code);

} // namespace cairn::cli
