#include "cli/sim_command.hpp"

#include "sim/sweep.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdio>
#include <thread>
#include <unistd.h>

namespace cairn::cli {

namespace {

struct sim_options {
  std::string seeds = "1..1000";
  std::string scenario; // empty: all
  unsigned threads = 0;
  bool list = false, logs = false;
};

struct seed_range {
  std::uint64_t first = 0, last = 0;
};

std::optional<std::uint64_t> seed_number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::optional<seed_range> parse_seeds(std::string_view text) {
  const auto dots = text.find("..");
  const auto first = seed_number(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : seed_number(text.substr(dots + 2));
  if (!first || !last || *first > *last || *last == UINT64_MAX) return std::nullopt;
  return seed_range{*first, *last};
}

bool run_scenario(const sim::scenario& s, const seed_range& seeds, unsigned threads, bool logs) {
  const auto total = seeds.last - seeds.first + 1;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto progress = [&](std::uint64_t done) {
    if (terminal)
      std::fprintf(stderr, "\r%s: %llu of %llu runs", s.name, static_cast<unsigned long long>(done),
                   static_cast<unsigned long long>(total));
  };
  const auto begun = std::chrono::steady_clock::now();
  const auto report = sim::sweep(s, seeds.first, seeds.last, threads, 64, progress, logs);
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  if (terminal) std::fprintf(stderr, "\r\033[K");
  for (const auto& f : report.failures) {
    std::printf("FAILED %s seed %llu: %s\n  options: %s\n  replay:  %s\n", f.scenario.c_str(),
                static_cast<unsigned long long>(f.seed), f.problem.c_str(), f.options.c_str(), f.replay.c_str());
  }
  if (total == 1 && report.failures.empty()) std::printf("%s: %s\n", s.name, report.options.c_str());
  std::printf("%s: %llu runs, %llu of them twice, %zu failed, %.0f a minute, digest %016llx\n", s.name,
              static_cast<unsigned long long>(report.runs), static_cast<unsigned long long>(report.repeated),
              report.failures.size(), double(report.runs) / took * 60, static_cast<unsigned long long>(report.digest));
  return report.failures.empty();
}

int run(const sim_options& options) {
  if (options.list) {
    for (const auto& s : sim::scenarios()) std::printf("%-10s %s\n", s.name, s.about);
    return 0;
  }
  const auto seeds = parse_seeds(options.seeds);
  if (!seeds) {
    std::fprintf(stderr, "cairn: --seeds: expected A..B with A ≤ B, as in 1..1000, not '%s'\n", options.seeds.c_str());
    return 2;
  }
  const auto* only = options.scenario.empty() ? nullptr : sim::find_scenario(options.scenario);
  if (!options.scenario.empty() && !only) {
    std::fprintf(stderr, "cairn: no scenario '%s'; `cairn sim --list` shows them\n", options.scenario.c_str());
    return 2;
  }
  const auto threads = options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  bool good = true;
  for (const auto& s : sim::scenarios()) {
    if (!only || only == &s) good = run_scenario(s, *seeds, threads, options.logs) && good;
  }
  return good ? 0 : 1;
}

} // namespace

void add_sim_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<sim_options>();
  auto* command = app.add_subcommand("sim", "Runs the node's actors under virtual time with random faults.\n"
                                            "  cairn sim cluster --seeds 1..10000\n"
                                            "The digest at the end is the same wherever the same seeds run.");
  command->add_option("--seeds", options->seeds, "first..last, or one seed")->capture_default_str();
  command->add_option("scenario,--scenario", options->scenario, "only this one; default: all");
  command->add_option("--threads", options->threads, "0: one a core");
  command->add_flag("--logs", options->logs, "show what the nodes log, to replay one seed");
  command->add_flag("--list", options->list, "list the scenarios");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace cairn::cli
