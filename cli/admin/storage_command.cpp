#include "cli/admin/storage_command.hpp"

#include "cli/admin/config_command.hpp"
#include "cli/client/progress.hpp"
#include "cluster/raft/log/log_check.hpp"
#include "cluster/raft/log/log_marker.hpp"
#include "cluster/raft/log/older_log.hpp"
#include "storage/chunks/chunk_store.hpp"
#include "storage/chunks/disk_identity.hpp"
#include "storage/kv/kv_check.hpp"
#include "storage/metadata/store.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>

#include <unistd.h>

namespace cairn::cli {

namespace {

struct storage_options {
  config_options config;
  std::string disk; // empty: every disk of the configuration
  bool deep = false, clear_quarantine = false;
};

// "check /data/disk0  [########            ]  41 %" on a terminal; redrawn a percent at a time.
class percent_line {
public:
  explicit percent_line(std::string name) : name_(std::move(name)), active_(::isatty(STDERR_FILENO) == 1) {}
  percent_line(const percent_line&) = delete;
  percent_line& operator=(const percent_line&) = delete;
  ~percent_line() {
    if (drawn_ >= 0) std::fprintf(stderr, "\r\33[K");
  }
  void show(std::uint64_t done, std::uint64_t total) {
    const auto percent = total == 0 ? 100 : static_cast<int>(std::min(done, total) * 100 / total);
    if (!active_ || percent == drawn_) return;
    drawn_ = percent;
    const std::string full(static_cast<std::size_t>(percent / 5), '#');
    std::fprintf(stderr, "\r%s  [%-20s] %3d %%", name_.c_str(), full.c_str(), percent);
    std::fflush(stderr);
  }

private:
  const std::string name_;
  const bool active_;
  int drawn_ = -1;
};

storage::chunk_store_options store_options(const std::string& disk, std::shared_ptr<void> lock) {
  storage::chunk_store_options options;
  options.directory = disk;
  options.lock = std::move(lock);
  return options;
}

result<std::unique_ptr<storage::kv_engine>> open_index(const std::string& disk) {
  storage::lmdb_options options;
  options.directory = storage::index_directory(disk);
  options.tables = storage::chunk_index_tables;
  return storage::open_lmdb(options);
}

void print_report(const std::string& disk, const storage::check_report& report) {
  for (const auto& problem : report.problems) std::cout << disk << ": " << problem << '\n';
  std::cout << disk << ": " << report.chunks << " chunks in " << report.segments << " segments, "
            << human_bytes(report.bytes) << ", " << report.problems.size()
            << (report.problems.size() == 1 ? " problem\n" : " problems\n");
}

// Whether there was no problem.
result<bool> check_one(const std::string& disk, const storage_options& options) {
  auto& files = posix_file_system();
  if (const auto identity = storage::load_disk_identity(files, disk); !identity) return identity.error();
  auto lock = files.lock(disk);
  if (!lock) return lock.error();
  const auto reason = storage::quarantine_reason(files, disk);
  if (!reason) return reason.error();
  if (*reason) std::cout << disk << ": quarantined: " << **reason << '\n';
  // Opening would make what is missing.
  const auto names = files.list(storage::index_directory(disk));
  if (!names || !std::binary_search(names->begin(), names->end(), "data.mdb"))
    return error{errc::not_found, disk + ": the index is missing; `cairn storage rebuild-index` makes a new one"};
  const auto index = open_index(disk);
  if (!index) return index.error();
  percent_line progress{"check " + disk};
  const auto report =
      storage::check_disk(store_options(disk, *lock), files, **index, options.deep,
                          [&progress](std::uint64_t done, std::uint64_t total) { progress.show(done, total); });
  if (!report) return report.error();
  print_report(disk, *report);
  if (*reason && options.clear_quarantine) {
    if (auto cleared = storage::clear_quarantine(files, disk); !cleared) return cleared.error();
    std::cout << disk << ": no longer quarantined\n";
  }
  return report->problems.empty();
}

// The old index is kept under another name. Nothing: there was none.
result<std::optional<std::string>> move_index_away(file_system& files, const std::string& disk) {
  const auto names = files.list(disk);
  if (!names) return names.error();
  const auto taken = [&names](const std::string& name) {
    return std::binary_search(names->begin(), names->end(), name);
  };
  if (!taken("index")) return std::optional<std::string>{};
  std::string name = "index.before-rebuild";
  for (int i = 2; taken(name); ++i) name = "index.before-rebuild-" + std::to_string(i);
  if (auto renamed = files.rename(storage::index_directory(disk), disk + "/" + name); !renamed) return renamed.error();
  if (auto flushed = files.flush_directory(disk); !flushed) return flushed.error();
  return std::optional{disk + "/" + name};
}

result<bool> rebuild_one(const std::string& disk, const storage_options&) {
  auto& files = posix_file_system();
  if (const auto identity = storage::load_disk_identity(files, disk); !identity) return identity.error();
  auto lock = files.lock(disk);
  if (!lock) return lock.error();
  const auto old_index = move_index_away(files, disk);
  if (!old_index) return old_index.error();
  if (*old_index) std::cout << disk << ": the old index is kept in " << **old_index << '\n';
  const auto index = open_index(disk);
  if (!index) return index.error();
  percent_line progress{"rebuild " + disk};
  const auto report =
      storage::rebuild_index(store_options(disk, *lock), files, **index,
                             [&progress](std::uint64_t done, std::uint64_t total) { progress.show(done, total); });
  if (!report) return report.error();
  print_report(disk, *report);
  // A disk is quarantined for an index that could not be read: this one can.
  const auto reason = storage::quarantine_reason(files, disk);
  if (!reason) return reason.error();
  if (*reason) {
    if (auto cleared = storage::clear_quarantine(files, disk); !cleared) return cleared.error();
    std::cout << disk << ": no longer quarantined\n";
  }
  return true; // what was damaged before is told, and no failure of the rebuilding
}

// Runs the check to its end and prints what it finds. `items` and `part`: the names of what it counts.
template <class Check>
bool has_no_damage(const std::string& folder, Check check, std::string_view items, std::string_view part) {
  std::uint64_t count = 0;
  std::size_t problems = 0;
  for (bool done = false; !done;) {
    const auto step = check.step(~std::size_t{0});
    count += step.rows;
    done = step.done;
    if (!step.damage) continue;
    ++problems;
    std::cout << folder << ": " << to_string(*step.damage) << '\n';
  }
  std::cout << folder << ": " << count << ' ' << items << ", " << problems << ' ' << part
            << (problems == 1 ? "\n" : "s\n");
  return problems == 0;
}

result<std::unique_ptr<storage::kv_engine>> open_for_reading(const std::string& folder, storage::table_id tables) {
  storage::lmdb_options options;
  options.directory = folder;
  options.tables = tables;
  options.reads_only = true;
  return storage::open_lmdb(options);
}

// Reads all rows and verifies their checksums. True: nothing is wrong, or there is no metadata.
result<bool> check_rows(const std::string& folder, storage::table_id tables) {
  const auto names = posix_file_system().list(folder);
  if (!names || !std::binary_search(names->begin(), names->end(), "data.mdb")) return true;
  auto engine = open_for_reading(folder, tables);
  if (!engine) return engine.error();
  return has_no_damage(folder, storage::kv_check{**engine, tables}, "rows of metadata", "damaged table");
}

// The last entry of the log that the metadata contains; 0 if that cannot be read. Opens the rows anew: an engine that
// met a damaged page may refuse every further read.
log_index applied_index(const std::string& folder) {
  const auto engine = open_for_reading(folder, storage::metadata::table_count);
  if (!engine) return 0;
  const auto store = storage::metadata::store::open(**engine);
  if (!store) return 0;
  const auto view = (*store)->read();
  return view ? (*view)->applied() : 0;
}

// Reads all records of the consensus log. True: nothing is wrong, or there is no log.
result<bool> check_log(const std::string& folder, log_index applied) {
  namespace raft = cluster::raft;
  auto& files = posix_file_system();
  const auto marker = raft::read_log_marker(files, folder);
  if (!marker) return marker.error();
  if (*marker == raft::log_marker::older_log) return check_rows(folder, raft::older_log_tables);
  if (*marker == raft::log_marker::absent) return true;
  raft::raft_log log{files, folder, system_random()};
  if (auto whole = log.load(applied); !whole) {
    if (whole.error() != errc::corrupt) return whole.error();
    std::cout << folder << ": " << to_string(whole.error()) << '\n';
    return false;
  }
  return has_no_damage(folder, raft::log_check{log}, "records of the log", "damaged file");
}

bool check_metadata(const storage_options& options) {
  if (!options.disk.empty()) return true;
  const auto settings = load_for_command(options.config, std::cerr);
  if (!settings) return false;
  const auto folder = settings->metadata_dir();
  const auto names = posix_file_system().list(folder);
  if (!names || names->empty()) return true; // it never started
  const auto lock = posix_file_system().lock(settings->node.data_dir);
  if (!lock) {
    std::cerr << "cairn: " << to_string(lock.error()) << '\n';
    return false;
  }
  bool good = true;
  for (const auto& outcome :
       {check_rows(folder, storage::metadata::table_count), check_log(folder + "/log", applied_index(folder))}) {
    if (!outcome) std::cerr << "cairn: metadata: " << to_string(outcome.error()) << '\n';
    good = good && outcome && *outcome;
  }
  return good;
}

using disk_work = std::function<result<bool>(const std::string& disk, const storage_options& options)>;

int for_each_disk(const storage_options& options, const disk_work& work) {
  std::vector<std::string> disks{options.disk};
  if (options.disk.empty()) {
    const auto settings = load_for_command(options.config, std::cerr);
    if (!settings) return exit_wrong_config;
    disks.clear();
    for (const auto& disk : settings->disk_list()) disks.push_back(disk.path);
  }
  bool good = true;
  for (const auto& disk : disks) {
    const auto outcome = work(disk, options);
    if (!outcome) std::cerr << "cairn: " << disk << ": " << to_string(outcome.error()) << '\n';
    good = good && outcome && *outcome;
  }
  return good ? 0 : 1;
}

std::shared_ptr<storage_options> add_storage_options(CLI::App& command) {
  auto options = std::make_shared<storage_options>();
  add_config_options(command, options->config);
  command.add_option("--disk", options->disk, "Only this disk's directory")->type_name("DIR");
  return options;
}

} // namespace

void add_storage_command(CLI::App& app, int& exit_code) {
  auto* storage = app.add_subcommand("storage", "Check or repair the disks of a stopped node");
  storage->require_subcommand(1);

  auto* check = storage->add_subcommand(
      "check", "Hold every disk against its index, and read the metadata; exit "
               "status 1 when something is wrong\n\nExample: cairn storage check --config cairn.toml --deep");
  const auto check_options = add_storage_options(*check);
  check->add_flag("--deep", check_options->deep, "Read and verify every byte, not only the headers");
  check->add_flag("--clear-quarantine", check_options->clear_quarantine,
                  "Let the node use a quarantined disk again, when the check got through");
  check->callback([check_options, &exit_code] {
    exit_code = for_each_disk(*check_options, check_one);
    if (exit_code == 0 || exit_code == 1) exit_code = check_metadata(*check_options) ? exit_code : 1;
  });

  auto* rebuild = storage->add_subcommand(
      "rebuild-index", "Make a new index from the segment files; the old one is "
                       "kept beside it, a quarantine is lifted\n\nExample: cairn storage rebuild-index "
                       "--disk cairn-data/disk0");
  const auto rebuild_options = add_storage_options(*rebuild);
  rebuild->callback([rebuild_options, &exit_code] { exit_code = for_each_disk(*rebuild_options, rebuild_one); });
}

} // namespace cairn::cli
