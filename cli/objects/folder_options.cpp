#include "cli/objects/folder_options.hpp"

#include "cli/transfer/part_plan.hpp"

#include <CLI/CLI.hpp>

namespace cairn::cli {

result<sync_options> folder_options::read() const {
  auto options = chosen;
  const auto size = config::parse_byte_size(part_size);
  if (!size) return error{errc::invalid_argument, "--part-size: " + size.error().text};
  if (size->bytes < part_bytes_min || size->bytes > part_bytes_max)
    return error{errc::invalid_argument, "--part-size " + part_size + ": expected 5MiB to 5GiB"};
  options.part_bytes = size->bytes;
  if (exclude == nullptr) return options;
  auto next_excluded = excluded.begin(), next_included = included.begin();
  for (const auto* option : command->parse_order()) {
    if (option == exclude && next_excluded != excluded.end()) options.filter.exclude(*next_excluded++);
    if (option == include && next_included != included.end()) options.filter.include(*next_included++);
  }
  return options;
}

void add_transfer_options(CLI::App& command, folder_options& options, bool stores, CLI::Option* recursive) {
  options.part_size = config::format(config::byte_size{part_bytes_default});
  auto* jobs = command.add_option("-j,--jobs", options.chosen.jobs, "Connections, and so files or parts at a time")
                   ->check(CLI::Range(1, 64))
                   ->capture_default_str();
  if (recursive != nullptr) jobs->needs(recursive);
  if (stores) {
    auto* size = command
                     .add_option("--part-size", options.part_size,
                                 "Files of more than four times as much are sent in parts of this size")
                     ->capture_default_str();
    if (recursive != nullptr) size->needs(recursive);
  }
  command.add_flag("-q,--quiet", options.chosen.quiet, "No progress and no counts, failures only");
}

std::shared_ptr<folder_options> add_folder_options(CLI::App& command, CLI::Option* recursive) {
  auto options = std::make_shared<folder_options>();
  options->command = &command;
  options->exclude =
      command.add_option("--exclude", options->excluded, "Leave out names that match this pattern; '*' also matches /")
          ->allow_extra_args(false)
          ->type_name("GLOB");
  options->include =
      command
          .add_option("--include", options->included, "Take names that match, although excluded; the last one decides")
          ->allow_extra_args(false)
          ->type_name("GLOB");
  auto* dry_run = command.add_flag("-n,--dry-run", options->chosen.dry_run, "Only say what would be done");
  auto* verbose = command.add_flag("-v,--verbose", options->chosen.verbose, "A line for every file that changed");
  auto* links = command.add_flag_callback(
      "--no-follow-symlinks", [raw = options.get()] { raw->chosen.follow_links = false; },
      "Leave symbolic links out instead of storing what they point to");
  if (recursive != nullptr)
    for (auto* option : {options->exclude, options->include, dry_run, verbose, links}) option->needs(recursive);
  return options;
}

bool names_objects(std::string_view text) {
  return text.starts_with("s3://");
}

} // namespace cairn::cli
