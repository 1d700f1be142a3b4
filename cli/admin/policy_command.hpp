// `cairn policy`: managed policies (identity_command.hpp), and `test`, which evaluates a policy without a node.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_policy_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
