// `cairn doctor`: checks the machine of a running or planned node, and reports problems with advice.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

// Exit codes: 0 no problem (there may be warnings), 1 a problem, 2 a wrong configuration.
void add_doctor_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
