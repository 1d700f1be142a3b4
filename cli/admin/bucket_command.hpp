// `cairn bucket …`: the publicity of buckets, what they hold and what they may hold (quota_command.hpp), and for whose
// quota they count, through the admin port of any node.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_bucket_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
