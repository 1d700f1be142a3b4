// `cairn user`, `cairn group`, `cairn role`, `cairn oidc-provider`, and the parts of `cairn policy` about managed
// policies: IAM's API of a node, which is asked with an access key as the object commands are.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_user_command(CLI::App& app, int& exit_code);
void add_group_command(CLI::App& app, int& exit_code);
void add_role_command(CLI::App& app, int& exit_code);
void add_provider_command(CLI::App& app, int& exit_code);
void add_managed_policy_commands(CLI::App& policy, int& exit_code); // below `cairn policy`

} // namespace cairn::cli
