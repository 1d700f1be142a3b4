#include "actors/members/cluster_rescue.hpp"
#include "base/file_system.hpp"
#include "cli/admin/admin_client.hpp"
#include "cli/admin/cluster_command.hpp"
#include "cli/admin/config_command.hpp"
#include "cli/client/command_support.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>

namespace cairn::cli {

namespace {

struct rescue_options {
  config_options config;
  std::string file, data_dir;
  bool force = false, majority_lost = false;
};
using rescue_options_ptr = std::shared_ptr<rescue_options>;

constexpr const char* after_founding =
    "Next:\n"
    "  1. Start this node, with cluster.join empty. It is the only one that decides.\n"
    "  2. On every other node of the old cluster that is left: stop it, `cairn cluster rejoin`, set cluster.join to "
    "this\n"
    "     node, start it. Its chunks are used again.\n"
    "  3. Remove the members that are gone: `cairn cluster status`, `cairn cluster remove NODE`.\n"
    "  4. Look whether the objects are what they should be. Until then no chunk is deleted. When they are:\n"
    "     `cairn cluster deletions release`.\n";

rescue_options_ptr add_rescue_options(CLI::App& command) {
  auto options = std::make_shared<rescue_options>();
  add_config_options(command, options->config);
  command.add_option("--data-dir", options->data_dir, "The node's data directory, instead of the configuration's")
      ->type_name("DIR");
  return options;
}

void run_with_settings(int& exit_code, const rescue_options& options,
                       const std::function<result<void>(const config::settings&)>& work) {
  auto settings = load_for_command(options.config, std::cerr);
  if (!settings) {
    exit_code = exit_wrong_config;
    return;
  }
  if (!options.data_dir.empty()) settings->node.data_dir = options.data_dir;
  run_command(exit_code, [&] { return work(*settings); });
}

// A running node may have acknowledged what its file does not show yet; to list buckets, it commits that.
void bring_up_to_date(const config::settings& settings) {
  const auto listed = ask_admin(admin_address_of(settings, {}), {"GET", "/v1/buckets", {}});
  if (listed || listed.error().code == errc::connection_lost) return; // it does not run
  std::cerr << "cairn: the running node was not reached to bring its file up to date; what it acknowledged in the last "
               "moments may not be in the backup: "
            << listed.error().text << '\n';
}

result<void> back_up(const config::settings& settings, const rescue_options& o) {
  if (!o.force && std::filesystem::exists(o.file))
    return error{errc::invalid_argument, o.file + " exists: take another name, or --force"};
  bring_up_to_date(settings);
  const auto made = actors::back_up_metadata(settings, o.file);
  if (!made) return made.error();
  std::cout << o.file << ": the metadata at index " << made->header.applied << ", " << made->rows << " rows, "
            << made->bytes << " bytes\n";
  return {};
}

void print_founded(const actors::cluster_founded& c) {
  std::cout << "The cluster \"" << c.name << "\" begins anew: " << cairn::to_string(c.cluster)
            << ", this node is number " << c.self << ", its metadata is at index " << c.applied
            << ". Deletion is held.\n\n"
            << after_founding;
}

result<void> restore(const config::settings& settings, const rescue_options& o) {
  const auto c = actors::restore_cluster(settings, o.file, system_random(), system_clock());
  if (!c) return c.error();
  print_founded(*c);
  return {};
}

result<void> recover(const config::settings& settings, const rescue_options& o) {
  if (!o.majority_lost) {
    const auto seen = actors::inspect_survivor(settings);
    if (!seen) return seen.error();
    std::cout << "A member of the cluster \"" << seen->name << "\". Its metadata is at index " << seen->applied
              << ", its log ends at " << seen->last << ". The members that it knows:\n";
    for (const auto& m : seen->members) std::cout << "  " << m << '\n';
    std::cout << "\nCompare the survivors and take the one whose log ends last. What only the lost ones had is lost.\n"
                 "Nothing was changed. When the majority will never come back, and no other survivor was recovered:\n"
                 "  cairn cluster recover --majority-lost\n";
    return {};
  }
  const auto c = actors::recover_cluster(settings, system_random(), system_clock());
  if (!c) return c.error();
  print_founded(*c);
  return {};
}

result<void> rejoin(const config::settings& settings, const rescue_options&) {
  const auto aside = actors::leave_for_rejoin(settings);
  if (!aside) return aside.error();
  std::cout << "The cluster is forgotten" << (aside->empty() ? "" : ", its metadata lies in " + *aside)
            << ". Set cluster.join to a member of the new cluster and start the node: its chunks are used again.\n";
  return {};
}

using rescue_work = result<void> (*)(const config::settings&, const rescue_options&);

void run_on(CLI::App& command, int& exit_code, const rescue_options_ptr& options, rescue_work work) {
  command.callback([options, work, &exit_code] {
    run_with_settings(exit_code, *options, [&](const config::settings& s) { return work(s, *options); });
  });
}

} // namespace

void add_cluster_rescue_commands(CLI::App& cluster, int& exit_code) {
  auto* b = cluster.add_subcommand(
      "backup",
      "Write all metadata (names, sizes, where chunks are; no chunks) to a file, while the node runs or not\n\n"
      "The file is consistent: the state after one commit. Any member will do; one that is up to date shows it "
      "in `cairn cluster status`.\n\nExample: cairn cluster backup --config cairn.toml meta-$(date +%F).dump");
  const auto backup = add_rescue_options(*b);
  b->add_option("FILE", backup->file, "The new file")->required();
  b->add_flag("--force", backup->force, "Replace FILE when it exists");
  run_on(*b, exit_code, backup, back_up);

  auto* r = cluster.add_subcommand(
      "restore",
      "Begin a new cluster with the metadata of a backup, on a stopped node without metadata\n\nFor when the "
      "metadata of all members is lost or wrong. What was written after the backup is not in it; its chunks "
      "stay on the disks, because deletion is held.\n\n"
      "Example: cairn cluster restore --config cairn.toml meta-2026-11-21.dump");
  const auto restored = add_rescue_options(*r);
  r->add_option("FILE", restored->file, "What `cairn cluster backup` wrote")->required()->check(CLI::ExistingFile);
  run_on(*r, exit_code, restored, restore);

  auto* c = cluster.add_subcommand(
      "recover", "Go on with this stopped node alone, when the majority of the voters is lost for good\n\nWithout "
                 "--majority-lost it only shows what this node has. While a majority can be started again, do that "
                 "instead: nothing is lost then.\n\nExample: cairn cluster recover --config cairn.toml");
  const auto recovered = add_rescue_options(*c);
  c->add_flag("--majority-lost", recovered->majority_lost,
              "Do it: the others will never come back with what they know");
  run_on(*c, exit_code, recovered, recover);

  auto* j = cluster.add_subcommand(
      "rejoin", "Let a stopped member forget its cluster and keep its chunks, to join the one that was restored or "
                "recovered elsewhere\n\nIts metadata is set aside, not deleted.\n\n"
                "Example: cairn cluster rejoin --config cairn.toml");
  run_on(*j, exit_code, add_rescue_options(*j), rejoin);
}

} // namespace cairn::cli
