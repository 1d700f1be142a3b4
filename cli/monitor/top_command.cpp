#include "cli/monitor/top_command.hpp"

#include "base/seams.hpp"
#include "cli/admin/admin_client.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/progress.hpp"
#include "cli/monitor/top_view.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace cairn::cli {

namespace {

struct top_options : admin_address {
  unsigned interval_seconds = 2;
  bool once = false;
};

result<top_sample> take_sample(const admin_address& at) {
  top_sample out;
  auto node = ask_admin(at, {"GET", "/v1/node", {}});
  if (!node) return node.error();
  auto metrics = ask_admin(at, {"GET", "/metrics", {}});
  if (!metrics) return metrics.error();
  out.node = std::move(*node);
  out.metrics = std::move(*metrics);
  if (is_clustered(out)) {
    auto cluster = ask_admin(at, {"GET", "/v1/cluster?format=text", {}});
    out.cluster = cluster ? std::move(*cluster) : "The cluster's status is not known: " + cluster.error().text + "\n";
  }
  out.taken = std::chrono::duration_cast<std::chrono::milliseconds>(system_clock().now().time_since_epoch());
  return out;
}

// What fits into the terminal, over what was there.
void draw(const std::vector<std::string>& lines) {
  const auto size = terminal_size_of(STDOUT_FILENO);
  std::string out = "\x1b[H";
  for (std::size_t i = 0; i + 1 < size.rows && i < lines.size(); ++i)
    out += lines[i].substr(0, size.columns) + "\x1b[K\r\n";
  out += "\x1b[J";
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

result<void> top(const top_options& options) {
  auto before = take_sample(options);
  if (!before) return before.error();
  const bool once = options.once || ::isatty(STDOUT_FILENO) == 0;
  if (!once) std::fputs("\x1b[2J", stdout);
  for (;;) {
    block_thread(std::chrono::seconds{options.interval_seconds});
    auto now = take_sample(options);
    if (!now) {
      if (once) return now.error();
      draw({"The node was not reached: " + terminal_text(now.error().text)});
      continue;
    }
    const auto lines = top_lines(*before, *now);
    if (!lines) return lines.error();
    if (once) {
      for (const auto& line : *lines) std::puts(line.c_str());
      return {};
    }
    draw(*lines);
    before = std::move(now);
  }
}

} // namespace

void add_top_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("top", "Show what a node and its cluster do now, again and again\n\n"
                                            "Requests, errors and times are those of the node that is asked.\n"
                                            "Example: cairn top --admin http://127.0.0.1:9001");
  auto options = std::make_shared<top_options>();
  add_admin_options(*command, *options);
  command->add_option("--interval", options->interval_seconds, "Seconds between two looks")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->add_flag("--once", options->once, "Print one look and end, as without a terminal");
  command->callback([options, &exit_code] { run_command(exit_code, [&] { return top(*options); }); });
}

} // namespace cairn::cli
