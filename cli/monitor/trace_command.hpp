// `cairn trace`: the last slow requests of a node, each as a tree of its phases.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace cairn::cli {

// Exit codes: 0 shown; 1 the node was not reached, or refused.
void add_trace_command(CLI::App& app, int& exit_code);

// Of the answer of /v1/slow-requests, the oldest first. invalid_argument: it is no such answer.
result<std::string> trace_text(std::string_view answer);

} // namespace cairn::cli
