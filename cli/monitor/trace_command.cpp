#include "cli/monitor/trace_command.hpp"

#include "base/json.hpp"
#include "cli/admin/admin_client.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/formatted.hpp"
#include "cli/client/object_path.hpp"
#include "net/wire/grammar/http_date.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <ranges>
#include <utility>

namespace cairn::cli {

namespace {

constexpr std::size_t trace_bytes_max = 4 << 20, trace_depth_max = 8;

struct trace_options : admin_address {
  bool json = false;
};

std::int64_t integer_of(const json_object& of, std::string_view name) {
  const auto* const value = of.if_contains(name);
  const auto* const integer = value ? value->if_int64() : nullptr;
  return integer ? *integer : 0;
}

std::string string_of(const json_object& of, std::string_view name) {
  const auto* const value = of.if_contains(name);
  return value ? printable(text_of(*value)) : std::string{};
}

std::string duration_text(const json_object& of, std::string_view name) {
  const auto us = double(integer_of(of, name));
  return us < 1e6 ? formatted("%.1f ms", us / 1e3) : formatted("%.2f s", us / 1e6);
}

std::string head_of(const json_object& request) {
  std::string out;
  net::append_iso_time(out, integer_of(request, "time_ms"));
  out += "  " + string_of(request, "operation");
  if (const auto bucket = string_of(request, "bucket"); !bucket.empty()) out += " " + bucket;
  if (const auto key = string_of(request, "key"); !key.empty()) out += "/" + key;
  const auto status = integer_of(request, "status");
  out += "  " + (status == 0 ? "no answer" : std::to_string(status));
  out += "  " + duration_text(request, "total_us") + "  from " + string_of(request, "address");
  if (const auto access_key = string_of(request, "access_key"); !access_key.empty()) out += " as " + access_key;
  return out + "  request " + string_of(request, "request") + '\n';
}

// Durations stand below each other.
std::string branch(const json_object& request, std::string_view stem, std::string_view phase, std::size_t indent,
                   std::string_view name) {
  constexpr std::size_t column = 24;
  const auto width = indent + phase.size();
  return std::string{stem} + std::string{phase} + std::string(column - std::min(column - 1, width), ' ') +
         duration_text(request, name) + '\n';
}

std::string tree_of(const json_object& request) {
  const auto client = integer_of(request, "body_us") + integer_of(request, "transfer_us");
  const json_object of_client{{"client_us", client}};
  return head_of(request) + branch(request, "├─ ", "node", 3, "server_us") +
         branch(request, "│  ├─ ", "authentication", 6, "authentication_us") +
         branch(request, "│  ├─ ", "metadata", 6, "metadata_us") + branch(request, "│  └─ ", "rest", 6, "rest_us") +
         branch(of_client, "└─ ", "with client", 3, "client_us") + branch(request, "   ├─ ", "body", 6, "body_us") +
         branch(request, "   └─ ", "answer", 6, "transfer_us");
}

result<void> trace(const trace_options& options) {
  const auto answer = ask_admin(options, api_request_named("slowRequests", {}, {}));
  if (!answer || options.json) return show_answer(answer, true);
  return show_answer(trace_text(*answer), true);
}

} // namespace

result<std::string> trace_text(std::string_view answer) {
  const auto value = read_json(answer, trace_bytes_max, trace_depth_max);
  const auto* const requests = value && value->is_object() ? value->get_object().if_contains("requests") : nullptr;
  if (requests == nullptr || !requests->is_array())
    return error{errc::invalid_argument, "/v1/slow-requests did not answer with requests"};
  std::string out;
  for (const auto& one : std::views::reverse(requests->get_array()))
    if (one.is_object()) out += (out.empty() ? "" : "\n") + tree_of(one.get_object());
  return out.empty() ? std::string{"No request took longer than log.slow_request since the node's start.\n"} : out;
}

void add_trace_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("trace", "Show the last slow requests of a node, and where their time went\n\n"
                                              "Slow: the node's part took longer than log.slow_request.\n"
                                              "Example: cairn trace --admin http://127.0.0.1:9001");
  auto options = std::make_shared<trace_options>();
  add_admin_options(*command, *options);
  command->add_flag("--json", options->json, "As the admin API answers");
  command->callback([options, &exit_code] { run_command(exit_code, [&] { return trace(*options); }); });
}

} // namespace cairn::cli
