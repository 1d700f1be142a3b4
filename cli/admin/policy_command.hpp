// `cairn policy test`: what a policy answers to a request, without a node.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_policy_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
