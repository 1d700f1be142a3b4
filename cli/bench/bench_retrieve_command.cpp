#include "base/json.hpp"
#include "base/units.hpp"
#include "cli/bench/bench_command.hpp"
#include "cli/bench/bench_retrieve.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/progress.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace cairn::cli {

namespace {

struct retrieve_options {
  std::string chunk_size = "10MiB", read_delay = "50ms", directory;
  retrieve_shape shape;
  bool json = false;
};

result<void> read_units(retrieve_options& options) {
  const auto size = config::parse_byte_size(options.chunk_size);
  if (!size) return size.error();
  if (size->bytes < 64 << 10 || size->bytes > 16 << 20 || size->bytes % (64 << 10) != 0)
    return error{errc::invalid_argument, "--chunk-size: expected a multiple of 64KiB from 64KiB to 16MiB"};
  const auto delay = config::parse_duration(options.read_delay);
  if (!delay) return delay.error();
  if (*delay > std::chrono::seconds(2)) return error{errc::invalid_argument, "--read-delay: expected at most 2s"};
  options.shape.chunk_size_bytes = static_cast<std::uint32_t>(size->bytes);
  options.shape.read_delay = *delay;
  options.shape.directory = options.directory;
  return {};
}

// What the requirement compares with: the ideal, and the same window without a delay.
double expected_ns(const retrieve_row& row, const std::vector<retrieve_row>& rows) {
  const auto bare = std::find_if(rows.begin(), rows.end(), [&](const retrieve_row& other) {
    return other.window == row.window && other.read_delay.count() == 0;
  });
  return static_cast<double>(row.ideal_ns + (bare == rows.end() ? 0 : bare->median_ns));
}

void print_json(const std::vector<retrieve_row>& rows) {
  json_array out;
  for (const auto& row : rows)
    out.push_back(json_object{{"window", row.window},
                              {"read_delay_us", row.read_delay.count()},
                              {"ns_per_op", row.median_ns},
                              {"ideal_ns", row.ideal_ns},
                              {"expected_ns", std::llround(expected_ns(row, rows))},
                              {"mb_per_s", row.megabytes_per_second},
                              {"pool_peak_bytes", row.pool_peak_bytes},
                              {"rss_delta_bytes", row.rss_delta_bytes}});
  std::printf("%s\n", json_text(out).c_str());
}

void print_table(const std::vector<retrieve_row>& rows, const retrieve_shape& shape) {
  std::printf("%u chunks of %s, median of %u downloads\n\n", shape.chunks, human_bytes(shape.chunk_size_bytes).c_str(),
              shape.repeat);
  std::printf("%10s  %6s  %14s  %10s  %10s  %8s  %12s  %12s\n", "read delay", "window", "ns/op", "MB/s", "ideal",
              "to ideal", "pool peak", "RSS delta");
  for (const auto& row : rows) {
    const auto expected = expected_ns(row, rows);
    const bool delayed = row.read_delay.count() > 0;
    char ideal[24] = "-", ratio[24] = "-";
    if (delayed) std::snprintf(ideal, sizeof ideal, "%.0f ms", static_cast<double>(row.ideal_ns) / 1e6);
    if (delayed) std::snprintf(ratio, sizeof ratio, "%.3f", static_cast<double>(row.median_ns) / expected);
    const auto grown = static_cast<std::uint64_t>(std::max<std::int64_t>(row.rss_delta_bytes, 0));
    std::printf("%10s  %6u  %14llu  %10.1f  %10s  %8s  %12s  %12s\n", config::format(row.read_delay).c_str(),
                row.window, static_cast<unsigned long long>(row.median_ns), row.megabytes_per_second, ideal, ratio,
                human_bytes(row.pool_peak_bytes).c_str(), human_bytes(grown).c_str());
  }
  std::printf(
      "\nideal: ceil(chunks / window) x delay; to ideal: ns/op over the ideal plus the same window without delay\n");
}

result<void> retrieve(retrieve_options& options) {
  if (auto read = read_units(options); !read) return read;
  const auto rows = run_retrieve(options.shape);
  if (!rows) return rows.error();
  if (options.json)
    print_json(*rows);
  else
    print_table(*rows, options.shape);
  return {};
}

} // namespace

void add_bench_retrieve_command(CLI::App& bench, int& exit_code) {
  auto* command = bench.add_subcommand("retrieve", "Download one object with several windows while each read is slow");
  command->footer(
      "Example:\n  cairn bench retrieve --chunks 12 --chunk-size 10MiB --read-delay 50ms --windows 1,5,10,12");
  auto options = std::make_shared<retrieve_options>();
  command->add_option("--chunks", options->shape.chunks, "Chunks of the object")
      ->check(CLI::Range(1u, 1000u))
      ->capture_default_str();
  command->add_option("--chunk-size", options->chunk_size, "64KiB to 16MiB")->capture_default_str();
  command->add_option("--read-delay", options->read_delay, "Added to every chunk read")->capture_default_str();
  command->add_option("--windows", options->shape.windows, "Reads outstanding at once, one row each")
      ->delimiter(',')
      ->check(CLI::Range(1u, 64u))
      ->capture_default_str();
  command->add_option("--repeat", options->shape.repeat, "Downloads a row")
      ->check(CLI::Range(1u, 1000u))
      ->capture_default_str();
  command->add_option("--dir", options->directory,
                      "Where the temporary disk is made; default: the temporary directory");
  command->add_flag("--json", options->json, "Machine-readable");
  command->callback([options, &exit_code] { run_command(exit_code, [&] { return retrieve(*options); }); });
}

} // namespace cairn::cli
