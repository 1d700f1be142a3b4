#include "cli/client/command_support.hpp"
#include "cli/client/object_path.hpp"
#include "cli/client/s3_answers.hpp"
#include "cli/objects/object_commands.hpp"
#include "cli/transfer/retry.hpp"
#include "cli/transfer/set_progress.hpp"
#include "cli/transfer/worker_pool.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <iostream>

namespace cairn::cli {

namespace {

struct rm_options {
  std::string path;
  bool recursive = false, yes = false, quiet = false;
  unsigned jobs = 8;
};

result<void> remove_one(http_client& client, const object_path& path) {
  const auto response = ask(client, {"DELETE", target_of(path), {}}, printable(path.bucket + "/" + path.key));
  if (!response) return response.error();
  return {};
}

result<bool> confirmed(const object_path& path, const rm_options& options) {
  if (options.yes) return true;
  const auto what = printable(path.bucket + "/" + path.key);
  if (::isatty(STDIN_FILENO) != 1)
    return error{errc::invalid_argument, "deleting everything under " + what + " needs --yes when nobody can be asked"};
  std::fprintf(stderr, "Delete every object whose path begins with %s? [y/N] ", what.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

result<void> remove_all(const s3_endpoint& endpoint, http_client& client, const object_path& prefix,
                        const rm_options& options) {
  const auto go = confirmed(prefix, options);
  if (!go) return go.error();
  if (!*go) return error{errc::cancelled, "nothing was deleted"};
  const auto pool = worker_pool::start(endpoint, options.jobs);
  if (!pool) return pool.error();
  set_progress failures({false, false});
  std::atomic<std::uint64_t> removed = 0;
  auto outcome = list_pages(client, {prefix.bucket, prefix.key, ""}, [&](const list_page& page) -> result<bool> {
    for (const auto& entry : page.objects)
      (*pool)->submit([&, key = entry.key](http_client& mine) {
        if (failures.server_unreachable(options.jobs)) return;
        const auto gone = with_retries([&] { return remove_one(mine, {prefix.bucket, key}); });
        if (!gone) return failures.failed(gone.error());
        ++removed;
        failures.removed(key);
      });
    return !failures.server_unreachable(options.jobs);
  });
  (*pool)->finish();
  if (!options.quiet) std::printf("%llu objects deleted\n", static_cast<unsigned long long>(removed.load()));
  const auto counted = failures.finish();
  return outcome ? counted : outcome;
}

result<void> remove(const s3_endpoint& endpoint, const rm_options& options) {
  const auto path = parse_object_path(options.path, !options.recursive);
  if (!path) return path.error();
  const auto client = client_for(endpoint);
  if (!client) return client.error();
  return options.recursive ? remove_all(endpoint, **client, *path, options) : remove_one(**client, *path);
}

} // namespace

void add_rm_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("rm", "Delete an object, or all with a prefix");
  command->footer("Deleting what is not there succeeds. Downloads that are running end whole.\n\n"
                  "Examples:\n"
                  "  cairn rm files/holiday.mp4\n"
                  "  cairn rm -r files/2024/                 asks first; --yes does not");
  auto options = std::make_shared<rm_options>();
  auto endpoint = add_endpoint_option(*command);
  command->add_option("PATH", options->path, "BUCKET/KEY, or BUCKET/PREFIX with --recursive")->required();
  auto* recursive =
      command->add_flag("-r,--recursive", options->recursive, "Every object whose key begins with PREFIX");
  command->add_flag("-y,--yes", options->yes, "Do not ask");
  command->add_option("-j,--jobs", options->jobs, "Connections, and so objects at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str()
      ->needs(recursive);
  command->add_flag("-q,--quiet", options->quiet, "Print no count");
  command->callback(
      [options, endpoint, &exit_code] { run_command(exit_code, [&] { return remove(*endpoint, *options); }); });
}

} // namespace cairn::cli
