#include "cli/machine/doctor_command.hpp"

#include "base/json.hpp"
#include "cli/admin/admin_client.hpp"
#include "cli/admin/config_command.hpp"
#include "cli/machine/judgement.hpp"

#include <cstdio>
#include <iostream>
#include <memory>

namespace cairn::cli {

namespace {

constexpr std::chrono::milliseconds peer_timeout{3000};
constexpr std::size_t cluster_page_max = 16 << 20, cluster_page_depth = 32;

struct doctor_options {
  config_options config;
  std::string ca;
  bool json = false;
};

std::vector<std::string> down_nodes(std::string_view page) {
  std::vector<std::string> out;
  const auto cluster = read_json(page, cluster_page_max, cluster_page_depth);
  const auto* nodes = cluster && cluster->is_object() ? cluster->get_object().if_contains("nodes") : nullptr;
  if (!nodes || !nodes->is_array()) return out;
  for (const auto& node : nodes->get_array()) {
    if (!node.is_object()) continue;
    const auto *up = node.get_object().if_contains("up"), *number = node.get_object().if_contains("number"),
               *address = node.get_object().if_contains("address");
    if (!up || !up->is_bool() || up->get_bool() || !number || !address || !address->is_string()) continue;
    out.push_back(json_text(*number) + " (" + std::string{address->get_string()} + ")");
  }
  return out;
}

running_node ask_node(const config::settings& settings, const std::string& ca) {
  const auto address = admin_address_of(settings, ca);
  running_node out;
  const auto ready = ask_admin(address, {"GET", "/health/ready", {}});
  if (!ready && (ready.error().code == errc::connection_lost || ready.error().code == errc::timeout)) return out;
  out.runs = true;
  if (!ready) out.not_ready = ready.error().text;
  if (settings.cluster.listen.host.empty()) return out;
  if (const auto page = ask_admin(address, {"GET", "/v1/cluster", {}})) out.down_nodes = down_nodes(*page);
  return out;
}

void examine_disks(const config::settings& settings, std::vector<finding>& out) {
  std::vector<disk_facts> disks;
  if (settings.node.weight > 0 || settings.cluster.listen.host.empty())
    for (const auto& disk : settings.disk_list()) disks.push_back(measure_disk(disk.path));
  const auto add = [&out](const std::vector<finding>& more) { out.insert(out.end(), more.begin(), more.end()); };
  for (const auto& disk : disks) add(judge_disk(disk, "disk", settings.storage.reserve.bytes));
  add(judge_devices(disks));
  add(judge_disk(measure_disk(settings.metadata_dir()), "metadata", settings.storage.reserve.bytes));
}

std::vector<finding> examine(const config::settings& settings, const std::string& ca) {
  std::vector<finding> out;
  const auto clock = measure_clock(settings);
  const auto node = ask_node(settings, ca);
  out.push_back(judge_clock(clock));
  out.push_back(judge_memory(measure_memory(), settings));
  out.push_back(judge_descriptors(descriptor_limit(), settings));
  examine_disks(settings, out);
  for (const auto& port : try_ports(settings)) out.push_back(judge_port(port, node));
  for (const auto& certificate : read_certificates(settings)) out.push_back(judge_certificate(certificate, clock.now));
  out.push_back(judge_sealing(read_sealing_keys(settings)));
  for (const auto& peer : reach_peers(settings, peer_timeout)) out.push_back(judge_peer(peer));
  for (auto& f : judge_node(node, settings)) out.push_back(std::move(f));
  return out;
}

} // namespace

void add_doctor_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("doctor", "Check the machine that a node runs on: clock, memory, open files, "
                                               "disks and their flushes, ports, certificates, peers.\n"
                                               "  Example: cairn doctor --config /etc/cairn/cairn.toml\n"
                                               "Run it as the node's user, before the first start and when something "
                                               "is wrong; a running node is not disturbed.");
  auto options = std::make_shared<doctor_options>();
  add_config_options(*command, options->config);
  command->add_option("--ca", options->ca, "PEM file of the authority to trust with admin.tls; else the system's")
      ->envname("CAIRN_ADMIN_CA")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &exit_code] {
    const auto settings = load_for_command(options->config, std::cerr);
    if (!settings) {
      exit_code = exit_wrong_config;
      return;
    }
    const auto findings = examine(*settings, options->ca);
    std::fputs((options->json ? findings_json(findings) + "\n" : findings_text(findings)).c_str(), stdout);
    exit_code = has_problem(findings) ? 1 : 0;
  });
}

} // namespace cairn::cli
