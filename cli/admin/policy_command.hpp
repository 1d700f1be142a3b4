// `cairn policy test`: evaluates a policy for a request, without a node.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_policy_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
