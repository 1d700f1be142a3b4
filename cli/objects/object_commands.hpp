// The commands that talk to a node over HTTP like any other client: put, get, cp, sync, ls, rm, mb, rb, stat. Each
// registers itself; when it ran, `exit_code` is 0 (done), 1 (failed) or 2 (wrong usage). Failures are one line on
// standard error.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_put_command(CLI::App& app, int& exit_code);
void add_get_command(CLI::App& app, int& exit_code);
void add_cp_command(CLI::App& app, int& exit_code);
void add_sync_command(CLI::App& app, int& exit_code);
void add_ls_command(CLI::App& app, int& exit_code);
void add_rm_command(CLI::App& app, int& exit_code);
void add_mb_command(CLI::App& app, int& exit_code);
void add_rb_command(CLI::App& app, int& exit_code);
void add_stat_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
