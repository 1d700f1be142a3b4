#include "cli/client/command_support.hpp"
#include "cli/client/object_path.hpp"
#include "cli/objects/object_commands.hpp"

#include <CLI/CLI.hpp>

namespace cairn::cli {

namespace {

result<void> change_bucket(const s3_endpoint& endpoint, const std::string& method, const std::string& name) {
  const auto path = parse_object_path(name, false);
  if (!path) return path.error();
  if (!path->key.empty())
    return error{errc::invalid_argument, "\"" + printable(name) + "\": expected BUCKET without a key"};
  const auto client = client_for(endpoint);
  if (!client) return client.error();
  const auto response = ask(**client, {method, target_of(*path), {}}, printable(path->bucket));
  if (!response) return response.error();
  return {};
}

void add_bucket_command(CLI::App& app, int& exit_code, const std::string& name, const std::string& method,
                        const std::string& help, const std::string& footer) {
  auto* command = app.add_subcommand(name, help);
  command->footer(footer);
  auto bucket = std::make_shared<std::string>();
  auto endpoint = add_endpoint_option(*command);
  command->add_option("BUCKET", *bucket, "Its name: 3 to 63 of a-z, 0-9, . and -")->required();
  command->callback([bucket, endpoint, method, &exit_code] {
    run_command(exit_code, [&] { return change_bucket(*endpoint, method, *bucket); });
  });
}

} // namespace

void add_mb_command(CLI::App& app, int& exit_code) {
  add_bucket_command(app, exit_code, "mb", "PUT", "Make a bucket", "Example:\n  cairn mb backups");
}

void add_rb_command(CLI::App& app, int& exit_code) {
  add_bucket_command(app, exit_code, "rb", "DELETE", "Remove an empty bucket",
                     "Example:\n  cairn rm --recursive backups && cairn rb backups");
}

} // namespace cairn::cli
