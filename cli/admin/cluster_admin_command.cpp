#include "base/units.hpp"
#include "cli/admin/admin_client.hpp"
#include "cli/admin/cluster_command.hpp"
#include "cli/client/command_support.hpp"
#include "net/admin/cluster_page.hpp"
#include "net/wire/grammar/uri.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace cairn::cli {

namespace {

struct admin_options : admin_address {
  std::string node, value;
  bool json = false;
};

std::shared_ptr<admin_options> add_admin_option(CLI::App& command) {
  auto options = std::make_shared<admin_options>();
  add_admin_options(command, *options);
  return options;
}

result<void> print(const result<std::string>& answer) {
  if (!answer) return answer.error();
  std::fwrite(answer->data(), 1, answer->size(), stdout);
  return {};
}

result<void> status(const admin_options& options) {
  auto answer = ask_admin(options, {"GET", options.json ? "/cluster" : "/cluster?format=text", {}});
  return print(answer && !options.json ? terminal_text(*answer) : answer);
}

result<void> command(const char* kind, const admin_options& options) {
  std::string target = std::string("/cluster/command?kind=") + kind;
  const auto add = [&target](const char* name, const std::string& value) {
    net::append_percent_encoded(target.append("&").append(name).append("="), value, false);
  };
  if (!options.node.empty()) add("node", options.node);
  if (!options.value.empty()) add("value", options.value);
  auto answer = ask_admin(options, {"POST", target, {}});
  return print(answer ? terminal_text(*answer) : answer);
}

struct verb {
  const char *name, *text, *value, *value_text; // no value: null
  bool of_node;
};

constexpr verb verbs[] = {
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

void add_verb(CLI::App& cluster, const verb& w, int& exit_code) {
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

struct add_options : admin_options {
  std::string expires = "1h";
  bool token_only = false;
};

result<std::string> invite(const add_options& options, const std::string& id) {
  const auto time = config::parse_duration(options.expires);
  const auto seconds = time ? std::chrono::duration_cast<std::chrono::seconds>(*time).count() : 0;
  if (seconds < 1 || seconds > std::int64_t{net::invitation_seconds_max})
    return error{errc::invalid_argument, "--expires: expected a time from 1s to 720h, got \"" + options.expires + "\""};
  auto target = "/cluster/command?kind=add&value=" + std::to_string(seconds);
  if (!id.empty()) target += "&id=" + id;
  return ask_admin(options, {"POST", target, {}});
}

void replace_all(std::string& text, std::string_view what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// A node's id lets that one in. Else a token, and what the new node's configuration needs; placeholders of the answer
// become the host and the token.
result<void> add(const add_options& options) {
  if (storage::parse_uuid(options.node)) return print(invite(options, options.node));
  auto token = invite(options, {});
  if (!token || options.token_only) return print(token);
  while (token->ends_with('\n')) token->pop_back();
  auto text = ask_admin(options, {"GET", "/cluster?format=join", {}});
  if (!text) return text.error();
  replace_all(*text, "JOIN-TOKEN", *token);
  if (!options.node.empty()) replace_all(*text, "NEW-NODE", options.node);
  return print(text);
}

void add_add_command(CLI::App& cluster, int& exit_code) {
  auto* subcommand = cluster.add_subcommand(
      "add",
      "Let a new node in: make a one-time token and print what the node's configuration must have to join; or let "
      "in a node that waits, by its id, as `status` shows it\n\n"
      "Examples:\n"
      "  cairn cluster add node-4.example.org\n"
      "  cairn cluster add --token-only --expires 24h\n"
      "  cairn cluster add 6e0b0c3a-5a57-4d0c-9d0c-0f1f6c1f8f11");
  auto options = std::make_shared<add_options>();
  add_admin_options(*subcommand, *options);
  subcommand->add_option("HOST", options->node, "By which the others will reach it; or a node's id");
  subcommand->add_option("--expires", options->expires, "For how long it may be used")->capture_default_str();
  subcommand->add_flag("--token-only", options->token_only, "Print nothing but the token");
  subcommand->callback([options, &exit_code] { run_command(exit_code, [&] { return add(*options); }); });
}

} // namespace

void add_cluster_admin_commands(CLI::App& cluster, int& exit_code) {
  auto* subcommand = cluster.add_subcommand("status", "Show the nodes, who leads, what has to move or to be repaired");
  const auto options = add_admin_option(*subcommand);
  subcommand->add_flag("--json", options->json, "One JSON object, for scripts");
  subcommand->callback([options, &exit_code] { run_command(exit_code, [&] { return status(*options); }); });
  add_add_command(cluster, exit_code);
  add_voters_command(cluster, exit_code);
  for (const auto& w : verbs) add_verb(cluster, w, exit_code);
}

} // namespace cairn::cli
