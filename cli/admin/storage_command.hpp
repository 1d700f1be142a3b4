// `cairn storage check|rebuild-index`: checks the disks of a stopped node, or rebuilds their indexes. Refuses a disk
// that a node uses.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_storage_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
