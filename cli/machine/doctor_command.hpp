// `cairn doctor`: checks the machine that a node runs on or shall run on, and says in words what is wrong.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

// Exit codes: 0 no problem (there may be warnings), 1 a problem, 2 a wrong configuration.
void add_doctor_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
