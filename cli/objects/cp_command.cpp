#include "cli/client/command_support.hpp"
#include "cli/objects/folder_options.hpp"
#include "cli/objects/object_commands.hpp"
#include "cli/sync/local_name.hpp"
#include "cli/transfer/file_download.hpp"
#include "cli/transfer/file_upload.hpp"
#include "cli/transfer/object_copy.hpp"

#include <CLI/CLI.hpp>

#include <sys/stat.h>

namespace cairn::cli {

namespace {

struct cp_arguments {
  std::string from, to;
  bool recursive = false;
};

std::string last_segment(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// A key that is empty or ends in '/' is a folder: into it, under the source's name.
result<object_path> target_object(const std::string& text, const std::string& source_name) {
  auto path = parse_object_path(text, false);
  if (path && (path->key.empty() || path->key.ends_with('/'))) path->key += source_name;
  return path;
}

result<std::string> target_file(const std::string& text, const object_path& source) {
  struct stat about {};
  const bool into_folder = text.ends_with('/') || (::stat(text.c_str(), &about) == 0 && S_ISDIR(about.st_mode));
  if (!into_folder) return text;
  const auto name = last_segment(source.key);
  if (const auto why = unsafe_name(name))
    return error{errc::invalid_argument, "\"" + source.key + "\": name the file to write: " + *why};
  return text + (text.ends_with('/') ? "" : "/") + name;
}

using one_copy = std::function<result<void>(worker_pool&, http_client&, set_progress&)>;

result<one_copy> upload_of(const cp_arguments& arguments, const sync_options& options) {
  auto to = target_object(arguments.to, last_segment(arguments.from));
  if (!to) return to.error();
  return one_copy([order = upload_order{arguments.from, std::move(*to), options.part_bytes}](
                      worker_pool& pool, http_client& client, set_progress& progress) {
    struct stat about {};
    if (::stat(order.file.c_str(), &about) == 0 && S_ISREG(about.st_mode))
      progress.found(static_cast<std::uint64_t>(about.st_size));
    return upload_file_to(pool, client, order, progress);
  });
}

result<one_copy> copy_of(const cp_arguments& arguments) {
  auto from = parse_object_path(arguments.from, true);
  if (!from) return from.error();
  const bool within = names_objects(arguments.to);
  auto object = within ? target_object(arguments.to, last_segment(from->key)) : object_path{};
  if (!object) return object.error();
  auto file = within ? std::string{} : target_file(arguments.to, *from);
  if (!file) return file.error();
  return one_copy([from = *from, within, object = *object, file = *file](worker_pool& pool, http_client& client,
                                                                         set_progress& progress) -> result<void> {
    const auto about = ask(client, {"HEAD", target_of(from), {}}, "looking at it");
    if (!about) return about.error();
    const auto size = about->content_length.value_or(0);
    progress.found(size);
    return within ? copy_object(pool, client, {from, object, etag_text(about->header("etag")), size}, progress)
                  : download_file_to(client, from, file, progress);
  });
}

result<void> copy_one(const s3_endpoint& endpoint, const cp_arguments& arguments, const sync_options& options) {
  const auto copy = names_objects(arguments.from) ? copy_of(arguments) : upload_of(arguments, options);
  if (!copy) return copy.error();
  const auto pool = worker_pool::start(endpoint, options.jobs);
  if (!pool) return pool.error();
  set_progress progress({!options.quiet, false});
  progress.listed_all();
  result<void> outcome;
  (*pool)->submit([&](http_client& client) { outcome = (*copy)(**pool, client, progress); });
  (*pool)->finish();
  if (!outcome) return error{outcome.error().code, printable(arguments.from) + ": " + outcome.error().text};
  return {};
}

result<void> copy_folder(const s3_endpoint& endpoint, const cp_arguments& arguments, const sync_options& options) {
  const auto from = names_objects(arguments.from) ? remote_place(arguments.from) : local_place(arguments.from);
  if (!from) return from.error();
  const auto to = names_objects(arguments.to) ? remote_place(arguments.to) : local_place(arguments.to);
  if (!to) return to.error();
  return run_sync(endpoint, *from, *to, options);
}

result<void> copy(const s3_endpoint& endpoint, const cp_arguments& arguments, const folder_options& folder) {
  const auto options = folder.read();
  if (!options) return options.error();
  if (!names_objects(arguments.from) && !names_objects(arguments.to))
    return error{errc::invalid_argument, "expected s3://BUCKET/KEY as the source, the target, or both"};
  if (arguments.from == "-" || arguments.to == "-")
    return error{errc::invalid_argument, "standard input and output are for cairn put and cairn get"};
  return arguments.recursive ? copy_folder(endpoint, arguments, *options) : copy_one(endpoint, arguments, *options);
}

} // namespace

void add_cp_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("cp", "Copy a file or an object to, from or within the server");
  command->footer("Large files go in parts, several at a time; interrupted, the same command continues them.\n\n"
                  "Examples:\n"
                  "  cairn cp disk.img s3://files/                       store it as files/disk.img\n"
                  "  cairn cp s3://files/disk.img .                      fetch it, verified\n"
                  "  cairn cp s3://files/disk.img s3://backup/monday.img within the server\n"
                  "  cairn cp -r photos s3://files/photos                a whole folder");
  auto arguments = std::make_shared<cp_arguments>();
  auto endpoint = add_endpoint_option(*command);
  command->add_option("SOURCE", arguments->from, "A file or folder, or s3://BUCKET/KEY")->required();
  command->add_option("TARGET", arguments->to, "A file or folder, or s3://BUCKET/KEY")->required();
  auto* recursive = command->add_flag("-r,--recursive", arguments->recursive, "Everything below the source");
  auto folder = add_folder_options(*command, recursive);
  add_transfer_options(*command, *folder, true, nullptr);
  command->callback([arguments, folder, endpoint, &exit_code] {
    run_command(exit_code, [&] { return copy(*endpoint, *arguments, *folder); });
  });
}

} // namespace cairn::cli
