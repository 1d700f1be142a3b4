#include "base/units.hpp"
#include "cli/bench/bench_command.hpp"
#include "cli/bench/bench_load.hpp"
#include "cli/client/command_support.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace cairn::cli {

namespace {

struct load_options {
  std::string url, size = "0";
  load_shape shape;
};

result<void> run_load(load_options& options, result<load_report> (*run)(const load_shape&)) {
  const auto scheme_end = options.url.starts_with("http://") ? std::size_t{7} : 0;
  const auto path = options.url.find('/', scheme_end);
  if (path == std::string::npos)
    return error{errc::invalid_argument, "\"" + options.url + "\": expected http://HOST:PORT/PATH"};
  auto server = parse_server_address(std::string_view(options.url).substr(0, path));
  if (!server) return server.error();
  const auto size = config::parse_byte_size(options.size);
  if (!size) return size.error();
  options.shape.server = *server;
  options.shape.target = options.url.substr(path);
  options.shape.size_bytes = size->bytes;
  const auto report = run(options.shape);
  if (!report) return report.error();
  std::printf("%s\n", report->to_json().c_str());
  return {};
}

CLI::App* add_load_command(CLI::App& bench, int& exit_code, const char* name, const char* help,
                           std::shared_ptr<load_options> options, result<load_report> (*run)(const load_shape&)) {
  auto* command = bench.add_subcommand(name, help);
  command->add_option("URL", options->url, "http://HOST:PORT/PATH")->required();
  command->add_option("--clients", options->shape.clients, "Connections, a thread each")
      ->check(CLI::Range(1u, 1024u))
      ->capture_default_str();
  command->callback([options, run, &exit_code] { run_command(exit_code, [&] { return run_load(*options, run); }); });
  return command;
}

} // namespace

void add_bench_load_commands(CLI::App& bench, int& exit_code) {
  auto options = std::make_shared<load_options>();
  auto* sink =
      add_load_command(bench, exit_code, "sink", "GET one URL again and again, dropping the bodies", options, run_sink);
  sink->add_option("--requests", options->shape.requests, "GETs of each client")->capture_default_str();

  options = std::make_shared<load_options>();
  auto* source = add_load_command(bench, exit_code, "source", "PUT objects URL-<client>-<n>", options, run_source);
  source->add_option("--requests", options->shape.requests, "PUTs of each client")->capture_default_str();
  source->add_option("--size", options->size, "Bytes of an object, such as 256MiB")->required();
  source->add_option("--sync-dir", options->shape.sync_dir, "Flush the file of the same name there after each PUT");

  options = std::make_shared<load_options>();
  options->shape.clients = 128;
  options->shape.pipeline = 8;
  auto* fill = add_load_command(bench, exit_code, "fill", "PUT many small objects URL00000000, URL00000001, …", options,
                                run_fill);
  fill->add_option("--keys", options->shape.keys, "How many")->required();
  fill->add_option("--size", options->size, "Bytes of an object")->capture_default_str();
  fill->add_option("--pipeline", options->shape.pipeline, "Requests sent before answers are awaited")
      ->check(CLI::Range(1u, 64u))
      ->capture_default_str();

  options = std::make_shared<load_options>();
  auto* list = add_load_command(bench, exit_code, "list",
                                "Page through a bucket's listing (URL: http://HOST:PORT/BUCKET)", options, run_list);
  list->add_flag("--versions", options->shape.versions, "Of all versions");
}

} // namespace cairn::cli
