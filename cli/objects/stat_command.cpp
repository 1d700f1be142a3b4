#include "base/json.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/object_path.hpp"
#include "cli/client/progress.hpp"
#include "cli/client/s3_answers.hpp"
#include "cli/objects/object_commands.hpp"
#include "net/wire/grammar/ascii.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>

namespace cairn::cli {

namespace {

constexpr std::string_view transport_headers[] = {"date",          "server",         "connection",       "keep-alive",
                                                  "accept-ranges", "content-length", "x-amz-request-id", "x-amz-id-2",
                                                  "etag"};

// The headers that belong to the object, lower case.
header_list described_headers(const http_response& response) {
  header_list kept;
  for (auto [name, value] : response.headers) {
    name = net::ascii_lower(name);
    if (std::find(std::begin(transport_headers), std::end(transport_headers), name) == std::end(transport_headers))
      kept.emplace_back(std::move(name), std::move(value));
  }
  return kept;
}

void print_as_json(const object_path& path, std::uint64_t size, const std::string& etag, const header_list& headers) {
  json_object shown{{"bucket", path.bucket}, {"key", path.key}, {"size", size}, {"etag", etag}};
  for (const auto& [name, value] : headers) shown[name] = value;
  std::printf("%s\n", json_text(shown).c_str());
}

void print_as_text(const object_path& path, std::uint64_t size, const std::string& etag, const header_list& headers) {
  const auto line = [](const std::string& name, const std::string& value) {
    std::printf("%-20s %s\n", (printable(name) + ":").c_str(), printable(value).c_str());
  };
  line("path", path.bucket + "/" + path.key);
  line("size", std::to_string(size) + (size < 1024 ? "" : " (" + human_bytes(size) + ")"));
  line("etag", etag);
  for (const auto& [name, value] : headers) line(name, value);
}

result<void> stat_object(const s3_endpoint& endpoint, const std::string& name, bool json) {
  const auto path = parse_object_path(name, true);
  if (!path) return path.error();
  const auto client = client_for(endpoint);
  if (!client) return client.error();
  const auto response = ask(**client, {"HEAD", target_of(*path), {}}, printable(path->bucket + "/" + path->key));
  if (!response) return response.error();
  if (!response->content_length) return error{errc::corrupt, "the answer lacks Content-Length"};
  (json ? print_as_json : print_as_text)(*path, *response->content_length, etag_text(response->header("etag")),
                                         described_headers(*response));
  return {};
}

} // namespace

void add_stat_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("stat", "Show an object's size, ETag and headers");
  command->footer("Example:\n  cairn stat files/holiday.mp4");
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  auto endpoint = add_endpoint_option(*command);
  command->add_option("PATH", *path, "BUCKET/KEY")->required();
  command->add_flag("--json", *json, "One JSON object");
  command->callback([path, json, endpoint, &exit_code] {
    run_command(exit_code, [&] { return stat_object(*endpoint, *path, *json); });
  });
}

} // namespace cairn::cli
