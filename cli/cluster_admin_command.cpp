#include "cli/cluster_command.hpp"
#include "cli/command_support.hpp"
#include "net/uri.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace cairn::cli {

namespace {

struct admin_options {
  std::string endpoint = "http://127.0.0.1:9001";
  std::string node, value;
  bool json = false;
};

std::shared_ptr<admin_options> add_admin_option(CLI::App& command) {
  auto options = std::make_shared<admin_options>();
  command.add_option("--admin", options->endpoint, "The admin address of any node")
      ->envname("CAIRN_ADMIN")
      ->capture_default_str()
      ->type_name("URL");
  return options;
}

// The admin port answers refusals as text for people.
result<std::string> answer_of(const admin_options& options, const http_request& request) {
  const auto client = client_for(options.endpoint);
  if (!client) return client.error();
  auto response = (*client)->exchange(request);
  if (!response) return response.error();
  if (response->ok()) return std::move(response->body);
  auto text = std::move(response->body);
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty()) text = "the node answered " + std::to_string(response->status);
  if (response->status == 403) text += " (`cairn cluster` sends CAIRN_ADMIN_TOKEN)";
  return error{response->status == 400 ? errc::invalid_argument : errc::io_error, std::move(text)};
}

result<void> print(const result<std::string>& answer) {
  if (!answer) return answer.error();
  std::fwrite(answer->data(), 1, answer->size(), stdout);
  return {};
}

result<void> status(const admin_options& options) {
  return print(answer_of(options, {"GET", options.json ? "/cluster" : "/cluster?format=text", {}}));
}

result<void> command(const char* kind, const admin_options& options) {
  std::string target = std::string("/cluster/command?kind=") + kind;
  const auto add = [&target](const char* name, const std::string& value) {
    net::append_percent_encoded(target.append("&").append(name).append("="), value, false);
  };
  if (!options.node.empty()) add("node", options.node);
  if (!options.value.empty()) add("value", options.value);
  const char* token = std::getenv("CAIRN_ADMIN_TOKEN");
  return print(answer_of(options, {"POST", target, {{"Cairn-Token", token ? token : ""}}}));
}

struct wish {
  const char *name, *text, *value, *value_text; // no value: null
  bool of_node;
};

constexpr wish wishes[] = {
    {"drain",
     "Move everything off a node; when `status` shows no partitions, it may be removed\n\n"
     "Example: cairn cluster drain 3",
     nullptr, nullptr, true},
    {"activate", "Give a drained node its share again, or one that was away for too long", nullptr, nullptr, true},
    {"remove",
     "Remove a node for good, and wait until it does not vote any more. Refused while it owns partitions: drain it "
     "first; one that is dead is out after cluster.down_out_after",
     nullptr, nullptr, true},
    {"weight", "Set a node's share of the data, compared with the others'\n\nExample: cairn cluster weight 3 200",
     "WEIGHT", "0 to 1000000000; 0: it holds no chunks", true},
    {"zone", "Say what a node fails together with: its rack, its room\n\nExample: cairn cluster zone 3 rack-2", "ZONE",
     "A name; nodes of the same zone fail together", true},
    {"deletions",
     "Hold the deletion of chunks, or let it go on, for instance after `cairn cluster restore`\n\n"
     "Example: cairn cluster deletions release",
     "WHAT", "hold or release", false},
    {"lost", "Tell which objects need chunks that no node has any more", nullptr, nullptr, false},
    {"forget-lost",
     "Give up chunks that no node has: drains and rebalances wait for them no longer, reads of them go on failing. "
     "Nothing is deleted: a disk that turns up again serves them",
     nullptr, nullptr, false},
    {"repair", "Look for chunks with too few or damaged copies now, and make new ones", nullptr, nullptr, false},
};

void add_wish(CLI::App& cluster, const wish& w, int& exit_code) {
  auto* subcommand = cluster.add_subcommand(w.name, w.text);
  const auto options = add_admin_option(*subcommand);
  if (w.of_node)
    subcommand->add_option("NODE", options->node, "Its number, its address, or its id or how that begins")->required();
  if (w.value) subcommand->add_option(w.value, options->value, w.value_text)->required();
  subcommand->callback(
      [kind = w.name, options, &exit_code] { run_command(exit_code, [&] { return command(kind, *options); }); });
}

void add_voters_command(CLI::App& cluster, int& exit_code) {
  auto* subcommand = cluster.add_subcommand(
      "voters",
      "Say which nodes vote on the metadata, as many as vote now, for instance others than one that is dead\n\n"
      "Example: cairn cluster voters 0 1 4");
  const auto options = add_admin_option(*subcommand);
  auto nodes = std::make_shared<std::vector<std::string>>();
  subcommand->add_option("NODES", *nodes, "Their numbers, addresses, or ids or how those begin")->required();
  subcommand->callback([options, nodes, &exit_code] {
    for (const auto& n : *nodes) options->node += (options->node.empty() ? "" : ",") + n;
    run_command(exit_code, [&] { return command("voters", *options); });
  });
}

// What a new node's configuration needs; the answer's placeholder becomes the host.
void add_add_command(CLI::App& cluster, int& exit_code) {
  auto* subcommand = cluster.add_subcommand("add", "Print what the configuration of a new node must have to join\n\n"
                                                   "Example: cairn cluster add node-4.example.org");
  const auto options = add_admin_option(*subcommand);
  subcommand->add_option("HOST", options->node, "By which the others will reach it");
  subcommand->callback([options, &exit_code] {
    run_command(exit_code, [&]() -> result<void> {
      auto text = answer_of(*options, {"GET", "/cluster?format=join", {}});
      constexpr std::string_view placeholder = "NEW-NODE";
      for (auto at = text && !options->node.empty() ? text->find(placeholder) : std::string::npos;
           at != std::string::npos; at = text->find(placeholder, at + options->node.size()))
        text->replace(at, placeholder.size(), options->node);
      return print(text);
    });
  });
}

} // namespace

void add_cluster_admin_commands(CLI::App& cluster, int& exit_code) {
  auto* subcommand = cluster.add_subcommand("status", "Show the nodes, who leads, what has to move or to be repaired");
  const auto options = add_admin_option(*subcommand);
  subcommand->add_flag("--json", options->json, "One JSON object, for scripts");
  subcommand->callback([options, &exit_code] { run_command(exit_code, [&] { return status(*options); }); });
  add_add_command(cluster, exit_code);
  add_voters_command(cluster, exit_code);
  for (const auto& w : wishes) add_wish(cluster, w, exit_code);
}

} // namespace cairn::cli
