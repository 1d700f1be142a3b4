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
#include <set>
#include <utility>
#include <vector>

namespace cairn::cli {

namespace {

constexpr std::size_t trace_bytes_max = 4 << 20, trace_depth_max = 8, spans_max = 64;

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

std::string text_in_columns(std::string text, std::size_t columns) { // pads UTF-8
  const auto used = std::size_t(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
  return text.append(columns - std::min(columns, used), ' ') + ' ';
}

bool is_set(const json_object& of, std::string_view name) {
  const auto* const value = of.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string label_of(const json_object& span) {
  auto name = string_of(span, "name");
  std::ranges::replace(name, '_', ' ');
  if (const auto* chunk = span.if_contains("chunk"); chunk && !chunk->is_null())
    name += ' ' + std::to_string(integer_of(span, "chunk"));
  if (const auto* node = span.if_contains("node"); node && !node->is_null())
    name += ", node " + std::to_string(integer_of(span, "node"));
  if (is_set(span, "cached")) name += ", cached";
  if (is_set(span, "hedge")) name += ", hedge";
  if (const auto outcome = string_of(span, "outcome"); !outcome.empty()) name += ": " + outcome;
  return name;
}

// Where in the request's time the span lies.
std::string bar_of(const json_object& span, std::int64_t total_us) {
  constexpr std::int64_t cells = 24, total_max = std::int64_t{1} << 50;
  const auto total = std::clamp<std::int64_t>(total_us, 1, total_max);
  const auto within = [total](std::int64_t us) { return std::clamp<std::int64_t>(us, 0, total); };
  const auto start = within(integer_of(span, "start_us"));
  const auto stop = within(start + within(integer_of(span, "duration_us")));
  const auto first = std::min(start * cells / total, cells - 1);
  const auto end = std::max(stop * cells / total, first + 1);
  std::string out;
  for (std::int64_t i = 0; i < cells; ++i) out += i >= first && i < end ? "█" : "·";
  return out;
}

class span_tree {
public:
  explicit span_tree(const json_object& request) : total_us_(integer_of(request, "total_us")) {
    const auto* const spans = request.if_contains("spans");
    if (spans == nullptr || !spans->is_array()) return;
    std::set<std::int64_t> numbers;
    const auto& all = spans->get_array();
    for (std::size_t i = 0; i < std::min(all.size(), spans_max); ++i)
      if (all[i].is_object() && numbers.insert(integer_of(all[i].get_object(), "number")).second)
        spans_.push_back(&all[i].get_object());
    std::ranges::stable_sort(spans_, {}, [](const json_object* s) { return integer_of(*s, "start_us"); });
  }

  std::string text() const { return below(0, ""); }

private:
  // A parent's number is lower, so there is no circle.
  std::string below(std::int64_t parent, const std::string& stem) const {
    std::vector<const json_object*> children;
    for (const auto* s : spans_)
      if (integer_of(*s, "parent") == parent && integer_of(*s, "number") > parent) children.push_back(s);
    std::string out;
    for (const auto* s : children) {
      constexpr std::size_t label_columns = 42, time_columns = 9;
      const bool last = s == children.back();
      out += text_in_columns(stem + (last ? "└─ " : "├─ ") + label_of(*s), label_columns) +
             text_in_columns("+" + duration_text(*s, "start_us"), time_columns) +
             text_in_columns(duration_text(*s, "duration_us"), time_columns) + bar_of(*s, total_us_) + '\n' +
             below(integer_of(*s, "number"), stem + (last ? "   " : "│  "));
    }
    return out;
  }

  std::vector<const json_object*> spans_;
  std::int64_t total_us_;
};

std::string spans_of(const json_object& request) {
  const auto tree = span_tree{request}.text();
  if (tree.empty()) return {};
  const auto left_out = integer_of(request, "spans_left_out");
  const auto id = string_of(request, "trace");
  return "spans" + (id.empty() ? "" : " of trace " + id) + '\n' + tree +
         (left_out > 0 ? "   and " + std::to_string(left_out) + " more\n" : "");
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
  const auto& all = requests->get_array();
  for (auto one = all.rbegin(); one != all.rend(); ++one)
    if (one->is_object()) out += (out.empty() ? "" : "\n") + tree_of(one->get_object()) + spans_of(one->get_object());
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
