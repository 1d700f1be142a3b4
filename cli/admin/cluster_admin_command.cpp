#include "actors/protocol/admin_command.hpp"
#include "base/units.hpp"
#include "cli/admin/admin_client.hpp"
#include "cli/admin/cluster_command.hpp"
#include "cli/client/command_support.hpp"
#include "net/admin/cluster_page.hpp"

#include <CLI/CLI.hpp>

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

result<void> status(const admin_options& options) {
  return show_answer(ask_admin(options, {"GET", options.json ? "/v1/cluster" : "/v1/cluster?format=text", {}}),
                     options.json);
}

result<void> command(const std::string& kind, const admin_options& options) {
  const auto& verb = *actors::find_verb(kind);
  const bool in_path = verb.subject == actors::verb_subject::node;
  auto answer = ask_admin(
      options,
      api_request(kind, options.node,
                  {{"node", in_path ? std::string{} : options.node}, {"value", options.value}, {"format", "text"}}));
  return show_answer(answer, false);
}

void add_verb_command(CLI::App& cluster, const actors::admin_verb_row& verb, int& exit_code) {
  auto* subcommand = cluster.add_subcommand(std::string(verb.name), verb.help);
  const auto options = add_admin_option(*subcommand);
  auto nodes = std::make_shared<std::vector<std::string>>();
  if (verb.subject == actors::verb_subject::node)
    subcommand->add_option("NODE", options->node, "Its number, its address, or its id or how that begins")->required();
  if (verb.subject == actors::verb_subject::nodes)
    subcommand->add_option("NODES", *nodes, "Their numbers, addresses, or ids or how those begin")->required();
  if (verb.value != actors::verb_value::none)
    subcommand->add_option(verb.value_name, options->value, verb.value_help)->required();
  subcommand->callback([kind = std::string(verb.name), options, nodes, &exit_code] {
    for (const auto& n : *nodes) options->node += (options->node.empty() ? "" : ",") + n;
    run_command(exit_code, [&] { return command(kind, *options); });
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
  return ask_admin(options,
                   api_request("add", {}, {{"value", std::to_string(seconds)}, {"id", id}, {"format", "text"}}));
}

void replace_all(std::string& text, std::string_view what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// A node's id lets that one in. Else a token, and what the new node's configuration needs; placeholders of the answer
// become the host and the token.
result<void> add(const add_options& options) {
  if (parse_uuid(options.node)) return show_answer(invite(options, options.node), true);
  auto token = invite(options, {});
  if (!token || options.token_only) return show_answer(token, true);
  while (token->ends_with('\n')) token->pop_back();
  auto text = ask_admin(options, {"GET", "/v1/cluster/join?format=text", {}});
  if (!text) return text.error();
  replace_all(*text, "JOIN-TOKEN", *token);
  if (!options.node.empty()) replace_all(*text, "NEW-NODE", options.node);
  return show_answer(text, true);
}

void add_add_command(CLI::App& cluster, const actors::admin_verb_row& verb, int& exit_code) {
  auto* subcommand = cluster.add_subcommand(std::string(verb.name), verb.help);
  auto options = std::make_shared<add_options>();
  add_admin_options(*subcommand, *options);
  subcommand->add_option("HOST", options->node, "By which the others will reach it; or a node's id");
  subcommand->add_option(verb.value_name, options->expires, verb.value_help)->capture_default_str();
  subcommand->add_flag("--token-only", options->token_only, "Print nothing but the token");
  subcommand->callback([options, &exit_code] { run_command(exit_code, [&] { return add(*options); }); });
}

} // namespace

void add_cluster_admin_commands(CLI::App& cluster, int& exit_code) {
  auto* subcommand = cluster.add_subcommand("status", "Show the nodes, who leads, what has to move or to be repaired");
  const auto options = add_admin_option(*subcommand);
  subcommand->add_flag("--json", options->json, "One JSON object, for scripts");
  subcommand->callback([options, &exit_code] { run_command(exit_code, [&] { return status(*options); }); });
  for (const auto& verb : actors::admin_verbs)
    (verb.verb == actors::admin_verb::add ? add_add_command : add_verb_command)(cluster, verb, exit_code);
}

} // namespace cairn::cli
