#include "cli/client/command_support.hpp"
#include "cli/client/file_transfer.hpp"
#include "cli/client/object_path.hpp"
#include "cli/client/s3_answers.hpp"
#include "cli/objects/folder_options.hpp"
#include "cli/objects/object_commands.hpp"
#include "cli/transfer/content_type.hpp"

#include <CLI/CLI.hpp>

namespace cairn::cli {

namespace {

struct put_options {
  std::string file, path, content_type;
  std::vector<std::string> metadata; // name=value
  bool no_overwrite = false, recursive = false;
};

// `key`: names what comes from standard input.
result<header_list> headers_of(const put_options& options, std::string_view key) {
  header_list headers;
  const auto known = content_type_of(options.file == "-" ? key : std::string_view{options.file});
  const auto type = options.content_type.empty() ? known : std::string_view{options.content_type};
  if (!type.empty()) headers.emplace_back("Content-Type", type);
  for (const auto& entry : options.metadata) {
    const auto equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos)
      return error{errc::invalid_argument, "--meta \"" + printable(entry) + "\": expected NAME=VALUE"};
    headers.emplace_back("x-amz-meta-" + entry.substr(0, equals), entry.substr(equals + 1));
  }
  for (const auto& [name, value] : headers)
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return error{errc::invalid_argument, "header " + printable(name) + " holds a line break"};
  if (options.no_overwrite) headers.emplace_back("If-None-Match", "*");
  return headers;
}

result<void> put_folder(const s3_endpoint& endpoint, const put_options& options, const sync_options& folder) {
  if (!options.content_type.empty() || !options.metadata.empty() || options.no_overwrite)
    return error{errc::invalid_argument, "--content-type, --meta and --no-overwrite are for one file, not for -r"};
  const auto to = remote_place(options.path);
  if (!to) return to.error();
  return run_sync(endpoint, local_place(options.file), *to, folder);
}

result<void> put(const s3_endpoint& endpoint, const put_options& options, bool quiet) {
  auto path = parse_object_path(options.path, false);
  if (!path) return path.error();
  if (path->key.empty() || path->key.ends_with('/')) { // as cp does: into this folder, under the file's own name
    if (options.file == "-")
      return error{errc::invalid_argument, "standard input has no name: expected BUCKET/KEY, such as files/backup.tar"};
    path->key += options.file.substr(options.file.rfind('/') + 1);
  }
  const auto headers = headers_of(options, path->key);
  if (!headers) return headers.error();
  const auto client = client_for(endpoint);
  if (!client) return client.error();
  const auto source = upload_file::open(options.file);
  if (!source) return source.error();

  const auto name = printable(path->bucket + "/" + path->key);
  progress_meter meter(progress_text(name, (*source)->length()), !quiet);
  (*source)->show(&meter);
  const auto response = (*client)->exchange({"PUT", target_of(*path), *headers}, source->get());
  if (!response) return error{response.error().code, name + ": " + response.error().text};
  if (!response->ok()) return failure_of(*response, name);
  const auto stored = etag_text(response->header("etag"));
  const auto sent = (*source)->md5_hex();
  if (is_md5(stored) && stored != sent)
    return error{errc::digest_mismatch, name + ": sent bytes with MD5 " + sent + ", the node stored " + stored};
  meter.finish();
  return {};
}

} // namespace

void add_put_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("put", "Store a file");
  command->footer(
      "Examples:\n"
      "  cairn put holiday.mp4 files/            store it as files/holiday.mp4\n"
      "  cairn put a.bin files/2024/a.bin        store it under another key\n"
      "  tar c src | cairn put - files/src.tar   store what a program writes\n"
      "  cairn put -r photos files/photos        store what is in a folder (cairn sync: only what changed)");
  auto options = std::make_shared<put_options>();
  auto endpoint = add_endpoint_option(*command);
  command->add_option("FILE", options->file, "The file to store; - reads standard input; a folder with -r")->required();
  command
      ->add_option("PATH", options->path,
                   "BUCKET/KEY; a path that ends in / keeps the file's name; BUCKET/PREFIX with -r")
      ->required();
  command->add_option("--content-type", options->content_type,
                      "Kept with the object and answered by GET; by default what the name's extension says");
  command->add_option("--meta", options->metadata, "NAME=VALUE, kept as x-amz-meta-NAME; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--no-overwrite", options->no_overwrite, "Fail when the key exists");
  auto* recursive = command->add_flag("-r,--recursive", options->recursive, "Every file below the folder");
  auto folder = add_folder_options(*command, recursive);
  add_transfer_options(*command, *folder, true, recursive);
  command->callback([options, folder, endpoint, &exit_code] {
    run_command(exit_code, [&]() -> result<void> {
      const auto chosen = folder->read();
      if (!chosen) return chosen.error();
      return options->recursive ? put_folder(*endpoint, *options, *chosen) : put(*endpoint, *options, chosen->quiet);
    });
  });
}

} // namespace cairn::cli
