#include "cli/client/command_support.hpp"
#include "cli/client/file_transfer.hpp"
#include "cli/client/object_path.hpp"
#include "cli/objects/folder_options.hpp"
#include "cli/objects/object_commands.hpp"

#include <CLI/CLI.hpp>

#include <sys/stat.h>

namespace cairn::cli {

namespace {

struct get_options {
  std::string path, file;
  bool recursive = false;
};

std::string file_for(const std::string& file, const object_path& path) {
  struct stat about {};
  const bool into_folder = file.ends_with('/') || (::stat(file.c_str(), &about) == 0 && S_ISDIR(about.st_mode));
  if (!into_folder || file == "-") return file;
  return file + (file.ends_with('/') ? "" : "/") + path.key.substr(path.key.rfind('/') + 1);
}

result<void> get_folder(const s3_endpoint& endpoint, const get_options& options, const sync_options& folder) {
  const auto from = remote_place(options.path);
  if (!from) return from.error();
  return run_sync(endpoint, *from, local_place(options.file), folder);
}

result<void> get(const s3_endpoint& endpoint, const get_options& options, bool quiet) {
  const auto path = parse_object_path(options.path, true);
  if (!path) return path.error();
  const auto client = client_for(endpoint);
  if (!client) return client.error();
  const auto name = printable(path->bucket + "/" + path->key);
  if (options.file == "-") return download(**client, *path, name, *download_to_stdout(name, !quiet));

  const auto file = file_for(options.file, *path);
  if (file.empty() || file.ends_with('/'))
    return error{errc::invalid_argument, "\"" + printable(options.path) + "\" ends in /: name the file to write"};
  const auto target = download_to_file({file, name, {}, !quiet});
  if (!target) return target.error();
  auto outcome = download(**client, *path, name, **target);
  if (outcome) return {};
  auto why = outcome.error();
  const bool interrupted = why.code == errc::connection_lost || why.code == errc::timeout;
  if (interrupted)
    why = {why.code, name + ": " + why.text + "; the same command continues where this one stopped"};
  else
    (*target)->drop_if_empty();
  return why;
}

} // namespace

void add_get_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("get", "Fetch an object into a file");
  command->footer(
      "The bytes gather in FILE.part, are compared with the object's checksum or MD5 and renamed to FILE at the end.\n"
      "An interrupted get is continued by running it again.\n\n"
      "Examples:\n"
      "  cairn get files/holiday.mp4 .                 into ./holiday.mp4\n"
      "  cairn get files/holiday.mp4 film.mp4          under another name\n"
      "  cairn get files/src.tar - | tar x             into another program\n"
      "  cairn get -r files/photos photos              everything below photos/ (cairn sync: only what changed)");
  auto options = std::make_shared<get_options>();
  auto endpoint = add_endpoint_option(*command);
  command->add_option("PATH", options->path, "BUCKET/KEY, or BUCKET/PREFIX with -r")->required();
  command->add_option("FILE", options->file, "Where to write it: a file, a folder, or - for standard output")
      ->required();
  auto* recursive =
      command->add_flag("-r,--recursive", options->recursive, "Every object below the prefix, into a folder");
  auto folder = add_folder_options(*command, recursive);
  add_transfer_options(*command, *folder, false, recursive);
  command->callback([options, folder, endpoint, &exit_code] {
    run_command(exit_code, [&]() -> result<void> {
      const auto chosen = folder->read();
      if (!chosen) return chosen.error();
      return options->recursive ? get_folder(*endpoint, *options, *chosen) : get(*endpoint, *options, chosen->quiet);
    });
  });
}

} // namespace cairn::cli
