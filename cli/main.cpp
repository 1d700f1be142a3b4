// The `cairn` command. Each command registers itself and leaves its exit code: 0 done, 1 failed, 2 called or configured
// wrongly.
#include "cli/admin/bucket_command.hpp"
#include "cli/admin/cluster_command.hpp"
#include "cli/admin/config_command.hpp"
#include "cli/admin/identity_command.hpp"
#include "cli/admin/key_command.hpp"
#include "cli/admin/policy_command.hpp"
#include "cli/admin/storage_command.hpp"
#include "cli/bench/bench_command.hpp"
#include "cli/import/import_command.hpp"
#include "cli/machine/doctor_command.hpp"
#include "cli/monitor/health_command.hpp"
#include "cli/monitor/top_command.hpp"
#include "cli/monitor/trace_command.hpp"
#include "cli/objects/object_commands.hpp"
#include "cli/serve_command.hpp"
#include "cli/sim_command.hpp"
#include "cli/version.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>

int main(int argc, char** argv) {
  using namespace cairn::cli;
  // A closed pipe or socket, or a limit of the size of files, is an error of that write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  CLI::App app{"Cairn, a file store that speaks S3 over HTTP.\n\n"
               "Try it:\n"
               "  cairn serve                                a node with its data in ./cairn-data\n"
               "  cairn put big.iso files/big.iso            store a file in the bucket `files`\n"
               "  cairn get files/big.iso copy.iso           fetch it again, verified, resumable\n"
               "  cairn sync photos s3://files/photos        store a folder, and later what changed in it\n"
               "  cairn ls files                             list\n"
               "  cairn config defaults > cairn.toml         every setting, with its meaning"};
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
  int exit_code = 0;
  add_serve_command(app, exit_code);
  add_put_command(app, exit_code);
  add_get_command(app, exit_code);
  add_cp_command(app, exit_code);
  add_sync_command(app, exit_code);
  add_ls_command(app, exit_code);
  add_rm_command(app, exit_code);
  add_mb_command(app, exit_code);
  add_rb_command(app, exit_code);
  add_stat_command(app, exit_code);
  add_import_command(app, exit_code);
  add_config_command(app, exit_code);
  add_storage_command(app, exit_code);
  add_health_command(app, exit_code);
  add_top_command(app, exit_code);
  add_trace_command(app, exit_code);
  add_doctor_command(app, exit_code);
  add_cluster_command(app, exit_code);
  add_key_command(app, exit_code);
  add_bucket_command(app, exit_code);
  add_user_command(app, exit_code);
  add_group_command(app, exit_code);
  add_role_command(app, exit_code);
  add_provider_command(app, exit_code);
  add_policy_command(app, exit_code);
  add_bench_command(app, exit_code);
  add_sim_command(app, exit_code);
  app.add_subcommand("version", "Prints the version and what it was built with.")->callback([] {
    std::puts(version_text().c_str());
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : 2;
  }
  return exit_code;
}
