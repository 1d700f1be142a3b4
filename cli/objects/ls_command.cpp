#include "base/json.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/object_path.hpp"
#include "cli/client/progress.hpp"
#include "cli/client/s3_answers.hpp"
#include "cli/objects/object_commands.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace cairn::cli {

namespace {

struct ls_options {
  std::string path;
  bool details = false, exact = false, recursive = false, json = false;
};

void print_line(const json_object& line) {
  std::printf("%s\n", json_text(line).c_str());
}

void print_object(const listed_entry& entry, const ls_options& options) {
  if (options.json) {
    print_line({{"key", entry.key}, {"size", entry.size_bytes}, {"etag", entry.etag}, {"modified", entry.modified}});
  } else if (options.details) {
    const auto size = options.exact ? std::to_string(entry.size_bytes) : human_bytes(entry.size_bytes);
    std::printf("%12s  %s  %s  %s\n", size.c_str(), printable(entry.modified).c_str(), printable(entry.etag).c_str(),
                printable(entry.key).c_str());
  } else {
    std::printf("%s\n", printable(entry.key).c_str());
  }
}

void print_prefix(const std::string& prefix, const ls_options& options) {
  if (options.json)
    print_line({{"prefix", prefix}});
  else if (options.details)
    std::printf("%12s  %-24s  %-32s  %s\n", "", "", "", printable(prefix).c_str());
  else
    std::printf("%s\n", printable(prefix).c_str());
}

result<void> list_buckets(http_client& client, const ls_options& options) {
  const auto response = ask(client, {"GET", "/", {}}, "listing the buckets");
  if (!response) return response.error();
  const auto buckets = parse_bucket_list(response->body);
  if (!buckets) return buckets.error();
  for (const auto& bucket : *buckets) {
    if (options.json)
      print_line({{"bucket", bucket.name}, {"created", bucket.created}});
    else if (options.details)
      std::printf("%s  %s\n", printable(bucket.created).c_str(), printable(bucket.name).c_str());
    else
      std::printf("%s\n", printable(bucket.name).c_str());
  }
  return {};
}

// Keys and prefixes of a page come in two lists; people read one order.
void print_page(const list_page& page, const ls_options& options) {
  auto prefix = page.prefixes.begin();
  for (const auto& entry : page.objects) {
    for (; prefix != page.prefixes.end() && *prefix < entry.key; ++prefix) print_prefix(*prefix, options);
    print_object(entry, options);
  }
  for (; prefix != page.prefixes.end(); ++prefix) print_prefix(*prefix, options);
}

result<void> list(const s3_endpoint& endpoint, const ls_options& options) {
  const auto client = client_for(endpoint);
  if (!client) return client.error();
  if (options.path.empty()) return list_buckets(**client, options);
  const auto path = parse_object_path(options.path, false);
  if (!path) return path.error();
  return list_pages(**client, {path->bucket, path->key, options.recursive ? "" : "/"}, [&](const list_page& page) {
    print_page(page, options);
    return result<bool>(std::fflush(stdout) == 0); // the reader of the pipe may have had enough
  });
}

} // namespace

void add_ls_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("ls", "List buckets, or the objects of one");
  command->footer("Examples:\n"
                  "  cairn ls                       the buckets\n"
                  "  cairn ls -l files/2024/        one folder, with sizes, times and ETags\n"
                  "  cairn ls -r --json files | jq -r 'select(.size > 1e9).key'");
  auto options = std::make_shared<ls_options>();
  auto endpoint = add_endpoint_option(*command);
  command->add_option("PATH", options->path, "BUCKET, or BUCKET/PREFIX; without it the buckets");
  command->add_flag("-l,--long", options->details, "Size, time of the last change (UTC) and ETag before the name");
  command->add_flag("-b,--bytes", options->exact, "Sizes in bytes instead of KiB, MiB, …");
  command->add_flag("-r,--recursive", options->recursive, "Every key, not folder by folder");
  command->add_flag("--json", options->json, "One JSON object a line");
  command->callback(
      [options, endpoint, &exit_code] { run_command(exit_code, [&] { return list(*endpoint, *options); }); });
}

} // namespace cairn::cli
