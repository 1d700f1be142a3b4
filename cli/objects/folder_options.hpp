// The options of the commands that transfer whole folders: put -r, get -r, cp and sync.
#pragma once

#include "cli/sync/sync_run.hpp"

#include <memory>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace cairn::cli {

struct folder_options {
  sync_options chosen;
  std::string part_size;
  CLI::App* command = nullptr;
  CLI::Option *exclude = nullptr, *include = nullptr;
  std::vector<std::string> excluded, included;

  // After the command line was read: sizes and patterns, the patterns in the order in which they were given.
  result<sync_options> read() const;
};

// `recursive`: the option without which these say nothing and are refused; null: the command always takes folders.
std::shared_ptr<folder_options> add_folder_options(CLI::App& command, CLI::Option* recursive);
// --jobs, --quiet and, of a command that stores files, --part-size.
void add_transfer_options(CLI::App& command, folder_options& options, bool stores, CLI::Option* recursive);

// Whether a text of the command line names objects: "s3://BUCKET/…".
bool names_objects(std::string_view text);

} // namespace cairn::cli
