#include "cli/monitor/top_view.hpp"

#include "base/json.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/formatted.hpp"
#include "cli/client/progress.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

namespace cairn::cli {

namespace {

constexpr std::size_t answer_bytes_max = 1 << 20, answer_depth_max = 16;

// The value of a label in `{operation="get_object",le="0.5"}`; empty: it has no such label.
std::string_view label(std::string_view labels, std::string_view name) {
  const auto at = labels.find(std::string{name} + "=\"");
  if (at == std::string_view::npos) return {};
  labels.remove_prefix(at + name.size() + 2);
  return labels.substr(0, labels.find('"'));
}

double number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::uint64_t count(const json_object& of, std::string_view name) {
  const auto* const value = of.if_contains(name);
  const auto* const integer = value ? value->if_int64() : nullptr;
  return integer != nullptr && *integer > 0 ? std::uint64_t(*integer) : 0;
}

json_object part(const json_object& of, std::string_view name) {
  const auto* const value = of.if_contains(name);
  return value && value->is_object() ? value->get_object() : json_object{};
}

result<json_object> read_node(const top_sample& s) {
  const auto value = read_json(s.node, answer_bytes_max, answer_depth_max);
  if (!value || !value->is_object()) return error{errc::invalid_argument, "/v1/node did not answer with an object"};
  return value->get_object();
}

std::uint64_t rise(std::uint64_t before, std::uint64_t now) {
  return now >= before ? now - before : now;
}

std::string time_text(double seconds) {
  if (seconds <= 0) return "-";
  return seconds < 1 ? formatted("%.1f ms", seconds * 1e3) : formatted("%.1f s", seconds);
}

std::string reasons_of(const json_object& node) {
  std::string out;
  const auto* const reasons = node.if_contains("reasons");
  if (!reasons || !reasons->is_array()) return out;
  for (const auto& r : reasons->get_array()) {
    if (!r.is_object()) continue;
    const auto& one = r.get_object();
    const auto* const severity = one.if_contains("severity");
    const auto* const text = one.if_contains("text");
    if (severity && text) out += std::string{text_of(*severity)} + ": " + std::string{text_of(*text)} + '\n';
  }
  return out;
}

struct busy_operation {
  std::string name;
  std::uint64_t requests = 0, server_errors = 0;
  double median = 0, tail = 0;
};

// Those with requests between the two moments, the most frequent first.
std::vector<busy_operation> busy_operations(const std::string& before, const std::string& now) {
  const auto earlier = read_operations(before);
  std::vector<busy_operation> out;
  for (const auto& [name, counters] : read_operations(now)) {
    const auto known = earlier.find(name);
    const auto& from = known == earlier.end() ? operation_counters{} : known->second;
    const auto requests = rise(from.requests, counters.requests);
    if (requests == 0) continue;
    out.push_back({name, requests, rise(from.server_errors, counters.server_errors), quantile(from, counters, 0.5),
                   quantile(from, counters, 0.99)});
  }
  std::ranges::stable_sort(out, std::greater{}, &busy_operation::requests);
  return out;
}

} // namespace

bool is_clustered(const top_sample& s) {
  const auto node = read_node(s);
  const auto* const says = node ? node->if_contains("clustered") : nullptr;
  return says && says->is_bool() && says->get_bool();
}

std::map<std::string, operation_counters> read_operations(const std::string& metrics) {
  std::map<std::string, operation_counters> out;
  std::istringstream lines{metrics};
  for (std::string line; std::getline(lines, line);) {
    const std::string_view text{line};
    const auto open = text.find('{'), close = text.rfind("} ");
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) continue;
    const auto family = text.substr(0, open), labels = text.substr(open, close - open);
    const auto value = std::uint64_t(std::max(0.0, number(text.substr(close + 2))));
    const std::string operation{label(labels, "operation")};
    if (family == "cairn_http_requests_total") {
      out[operation].requests += value;
      if (label(labels, "status") == "5xx") out[operation].server_errors += value;
    } else if (family == "cairn_http_request_duration_seconds_bucket" && label(labels, "le") != "+Inf") {
      out[operation].within[number(label(labels, "le"))] = value;
    }
  }
  return out;
}

double quantile(const operation_counters& before, const operation_counters& now, double share) {
  const auto total = double(rise(before.requests, now.requests));
  const double wanted = share * total;
  double bound = 0, counted = 0;
  for (const auto& [upper, value] : now.within) {
    const auto known = before.within.find(upper);
    const auto within = double(rise(known == before.within.end() ? 0 : known->second, value));
    if (within >= wanted && within > counted) return bound + (upper - bound) * (wanted - counted) / (within - counted);
    bound = upper;
    counted = within;
  }
  return total > 0 ? bound : 0;
}

result<std::vector<std::string>> top_lines(const top_sample& before, const top_sample& now) {
  const auto earlier = read_node(before), node = read_node(now);
  if (!earlier) return earlier.error();
  if (!node) return node.error();
  const auto was = part(*earlier, "requests"), is = part(*node, "requests"), memory = part(*node, "memory");
  const double seconds = std::max(0.001, double((now.taken - before.taken).count()) / 1e3);
  const auto rate = [&](std::string_view name) { return double(rise(count(was, name), count(is, name))) / seconds; };
  const auto bytes_rate = [&](std::string_view name) { return human_bytes(std::uint64_t(rate(name))) + "/s"; };

  const auto* const version = node->if_contains("version");
  const auto up = std::chrono::seconds{count(*node, "uptime_ms") / 1000};
  std::string text = "Cairn " + std::string{version ? text_of(*version) : ""} + ", up for " + human_time(up) + "\n";
  text += reasons_of(*node);
  text += formatted("\nRequests %.0f/s, server errors %.1f/s, refused %.1f/s; ", rate("total"), rate("server_errors"),
                    rate("client_errors")) +
          "sent " + bytes_rate("bytes_sent") + ", received " + bytes_rate("bytes_received") + "\n";
  text += std::to_string(count(*node, "connections")) + " connections, " + std::to_string(count(*node, "downloads")) +
          " downloads, " + std::to_string(count(*node, "uploads")) + " uploads; memory of requests " +
          human_bytes(count(memory, "buffer_bytes")) + " of " + human_bytes(count(memory, "buffer_limit_bytes")) +
          ", cache " + human_bytes(count(memory, "cache_bytes")) + " of " +
          human_bytes(count(memory, "cache_limit_bytes")) + "\n\n";
  text += formatted("%-26s %12s %10s %10s %10s\n", "OPERATION", "REQUESTS/S", "ERRORS/S", "MEDIAN", "99 %");
  for (const auto& o : busy_operations(before.metrics, now.metrics))
    text += formatted("%-26s %12.1f %10.1f %10s %10s\n", o.name.c_str(), double(o.requests) / seconds,
                      double(o.server_errors) / seconds, time_text(o.median).c_str(), time_text(o.tail).c_str());
  if (!now.cluster.empty()) text += "\n" + now.cluster;

  std::vector<std::string> out;
  std::istringstream lines{terminal_text(text)};
  for (std::string line; std::getline(lines, line);) out.push_back(std::move(line));
  return out;
}

} // namespace cairn::cli
