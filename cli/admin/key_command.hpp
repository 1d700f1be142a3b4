// `cairn key …`: access keys and their rights, through the admin port of any node.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_key_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
