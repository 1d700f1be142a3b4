#include "cli/client/command_support.hpp"
#include "cli/objects/folder_options.hpp"
#include "cli/objects/object_commands.hpp"

#include <CLI/CLI.hpp>

namespace cairn::cli {

namespace {

struct sync_arguments {
  std::string from, to;
};

result<sync_place> place_of(const std::string& text) {
  return names_objects(text) ? remote_place(text) : result<sync_place>(local_place(text));
}

result<void> sync(const s3_endpoint& endpoint, const sync_arguments& arguments, const folder_options& folder) {
  const auto options = folder.read();
  if (!options) return options.error();
  const auto from = place_of(arguments.from), to = place_of(arguments.to);
  if (!from) return from.error();
  if (!to) return to.error();
  if (!from->remote && !to->remote)
    return error{errc::invalid_argument, "expected s3://BUCKET/PREFIX as the source, the target, or both"};
  return run_sync(endpoint, *from, *to, *options);
}

} // namespace

void add_sync_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("sync", "Make a folder and a prefix, or two prefixes, the same");
  command->footer(
      "Transfers what is missing, and what differs in size or modification time (x-amz-meta-mtime; for objects of "
      "other\n"
      "tools, the time when they were stored). Nothing is deleted without --delete. Interrupted, run it again: files "
      "that\n"
      "are done stay, a large file continues with the parts or bytes that are missing. A failure stops no other file; "
      "all\n"
      "are listed at the end, and the exit status is 1.\n\n"
      "Examples:\n"
      "  cairn sync photos s3://files/photos                 store what is new or changed\n"
      "  cairn sync s3://files/photos photos                 fetch it\n"
      "  cairn sync s3://files/photos s3://backup/photos     within the server, without moving bytes through here\n"
      "  cairn sync --dry-run --delete photos s3://files/photos\n"
      "                                                      what would be stored and deleted\n"
      "  cairn sync --exclude '*.tmp' --exclude cache/ photos s3://files/photos\n"
      "  cairn sync --exclude '*' --include '*.jpg' photos s3://files/photos");
  auto arguments = std::make_shared<sync_arguments>();
  auto endpoint = add_endpoint_option(*command);
  command->add_option("SOURCE", arguments->from, "A folder, or s3://BUCKET/PREFIX")->required();
  command->add_option("TARGET", arguments->to, "A folder, or s3://BUCKET/PREFIX")->required();
  auto folder = add_folder_options(*command, nullptr);
  add_transfer_options(*command, *folder, true, nullptr);
  folder->chosen.compare = true;
  command->add_flag("--delete", folder->chosen.remove,
                    "Delete what the source does not have; never what is excluded. Refused for an empty remote source");
  auto* checksum = command->add_flag("--checksum", folder->chosen.checksum,
                                     "Compare contents instead of times: reads every file that has the same size");
  command->add_flag("--size-only", folder->chosen.size_only, "Take files of the same size for the same")
      ->excludes(checksum);
  command->callback([arguments, folder, endpoint, &exit_code] {
    run_command(exit_code, [&] { return sync(*endpoint, *arguments, *folder); });
  });
}

} // namespace cairn::cli
