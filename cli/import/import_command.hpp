// `cairn import s3`: copies buckets of another S3 server. Exit codes as cli/objects/object_commands.hpp.
#pragma once

namespace CLI {
class App;
}

namespace cairn::cli {

void add_import_command(CLI::App& app, int& exit_code);

} // namespace cairn::cli
