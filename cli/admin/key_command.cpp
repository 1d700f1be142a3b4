#include "cli/admin/key_command.hpp"

#include "base/json.hpp"
#include "cli/admin/admin_client.hpp"
#include "cli/client/command_support.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

namespace cairn::cli {

namespace {

struct key_options : admin_address {
  std::string key, bucket, label, value;
  bool read = false, write = false, owner = false, create_buckets = false, json = false;
};
using key_options_ptr = std::shared_ptr<key_options>;

key_options_ptr add_common_options(CLI::App& command) {
  auto options = std::make_shared<key_options>();
  add_admin_options(command, *options);
  command.add_flag("--json", options->json, "One JSON value, for scripts");
  return options;
}

http_request request_of(const std::string& kind, const key_options& options) {
  std::string rights;
  const auto add_right = [&rights](bool wanted, const char* name) {
    if (wanted) rights.append(rights.empty() ? "" : ",").append(name);
  };
  add_right(options.read, "read");
  add_right(options.write, "write");
  add_right(options.owner, "owner");
  const bool of_bucket = kind == "public-read";
  return api_request(kind, of_bucket ? options.bucket : options.key,
                     {{"bucket", of_bucket ? std::string{} : options.bucket},
                      {"label", options.label},
                      {"value", options.value},
                      {"rights", rights},
                      {"create_buckets", options.create_buckets ? "yes" : ""},
                      {"format", options.json ? "json" : "text"}});
}

result<void> print(const result<std::string>& answer, bool json) {
  if (!answer) return answer.error();
  const auto shown = json ? *answer : terminal_text(*answer);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  return {};
}

result<void> command(const std::string& kind, const key_options& options) {
  return print(ask_admin(options, request_of(kind, options)), options.json);
}

// With --json an array, without the page's frame.
result<void> list(const key_options& options) {
  auto answer = ask_admin(options, {"GET", options.json ? "/v1/keys" : "/v1/keys?format=text", {}});
  if (!answer || !options.json) return print(answer, options.json);
  const auto page = read_json(*answer, answer->size(), 8);
  const auto* keys = page && page->is_object() ? page->get_object().if_contains("keys") : nullptr;
  if (keys == nullptr) return error{errc::io_error, "the node's answer is not a list of keys"};
  return print(json_text(*keys) + "\n", true);
}

std::string count_text(const json_object& usage, std::string_view member) {
  return json_text(usage.at(member));
}

// One line a bucket.
std::string usage_table(const json_array& buckets) {
  constexpr std::string_view unknown = "-";
  std::vector<std::array<std::string, 5>> rows{{"BUCKET", "OBJECTS", "VERSIONS", "MARKERS", "BYTES"}};
  bool counting = false;
  for (const auto& one : buckets) {
    const auto& bucket = one.as_object();
    std::array<std::string, 5> row{std::string{text_of(bucket.at("name"))}};
    const auto* usage = bucket.at("usage").if_object();
    counting = counting || usage == nullptr;
    const std::array members{"objects", "versions", "delete_markers", "bytes"};
    for (std::size_t i = 0; i < members.size(); ++i)
      row[i + 1] = usage != nullptr ? count_text(*usage, members[i]) : std::string{unknown};
    rows.push_back(std::move(row));
  }
  std::array<std::size_t, 5> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string out;
  for (const auto& row : rows) {
    out += row[0] + std::string(widths[0] - row[0].size(), ' ');
    for (std::size_t i = 1; i < row.size(); ++i) out += "  " + std::string(widths[i] - row[i].size(), ' ') + row[i];
    out += '\n';
  }
  if (counting) out += "-: written by an older build, and not counted yet\n";
  return out;
}

// All pages of the list, or the one bucket.
result<json_array> read_usage(const key_options& options) {
  constexpr std::size_t depth_max = 8;
  const error unclear{errc::io_error, "the node's answer is not a list of buckets"};
  json_array all;
  std::string after;
  do {
    const bool one = !options.bucket.empty();
    auto answer = ask_admin(options, one ? api_request_named("bucket", options.bucket, {})
                                         : api_request_named("buckets", {}, {{"after", after}}));
    if (!answer) return answer.error();
    const auto page = read_json(*answer, answer->size(), depth_max);
    const auto* members = page ? page->if_object() : nullptr;
    if (members == nullptr) return unclear;
    if (one) {
      if (!members->contains("name") || !members->contains("usage")) return unclear;
      all.push_back(json_object{{"name", members->at("name")}, {"usage", members->at("usage")}});
      return all;
    }
    const auto* buckets = members->if_contains("buckets");
    if (buckets == nullptr || !buckets->is_array()) return unclear;
    for (const auto& bucket : buckets->get_array()) {
      const auto* object = bucket.if_object();
      if (object == nullptr || !object->contains("name") || !object->contains("usage")) return unclear;
      all.push_back(json_object{{"name", object->at("name")}, {"usage", object->at("usage")}});
    }
    const auto* next = members->if_contains("next");
    after = next != nullptr ? std::string{text_of(*next)} : std::string{};
  } while (!after.empty());
  return all;
}

result<void> show_usage(const key_options& options) {
  const auto buckets = read_usage(options);
  if (!buckets) return buckets.error();
  return print(options.json ? json_text(*buckets) + "\n" : usage_table(*buckets), options.json);
}

CLI::App* add_one(CLI::App& parent, const char* name, const char* kind, const std::string& help,
                  key_options_ptr& options, int& exit_code) {
  auto* subcommand = parent.add_subcommand(name, help);
  options = add_common_options(*subcommand);
  subcommand->callback([kind = std::string{kind}, options, &exit_code] {
    run_command(exit_code, [&] { return command(kind, *options); });
  });
  return subcommand;
}

void add_rights(CLI::App& to, const key_options_ptr& options) {
  to.add_option("KEY", options->key, "The access key")->required();
  to.add_option("BUCKET", options->bucket, "The bucket; not needed for --create-buckets");
  to.add_flag("--read", options->read, "List it, read its objects");
  to.add_flag("--write", options->write, "Put and delete objects");
  to.add_flag("--owner", options->owner, "Change its settings, remove it");
  to.add_flag("--create-buckets", options->create_buckets, "Make buckets, with all rights on them");
}

} // namespace

void add_key_command(CLI::App& app, int& exit_code) {
  auto* key = app.add_subcommand("key", "Access keys: who may sign requests, and what each may do");
  key->require_subcommand(1);
  key_options_ptr options;
  auto* create = add_one(*key, "create", "create",
                         "Make an access key and show its secret, this once\n\n"
                         "Example: cairn key create --label backups && cairn key allow KEY backups --read --write",
                         options, exit_code);
  create->add_option("--label", options->label, "For people, in `cairn key list`");
  create->add_flag("--create-buckets", options->create_buckets, "It may make buckets");
  auto* show = key->add_subcommand("list", "Show the access keys and what they may do");
  options = add_common_options(*show);
  show->callback([options, &exit_code] { run_command(exit_code, [&] { return list(*options); }); });
  auto* remove = add_one(*key, "delete", "delete", "Delete an access key: no request of it is taken from then on",
                         options, exit_code);
  remove->add_option("KEY", options->key, "The access key")->required();
  auto* allow = add_one(*key, "allow", "allow",
                        "Give a key rights on a bucket\n\nExample: cairn key allow KEY backups --read --write", options,
                        exit_code);
  add_rights(*allow, options);
  auto* deny = add_one(*key, "deny", "deny", "Take rights from a key", options, exit_code);
  add_rights(*deny, options);
}

void add_bucket_command(CLI::App& app, int& exit_code) {
  auto* bucket = app.add_subcommand("bucket", "Settings of buckets");
  bucket->require_subcommand(1);
  key_options_ptr options;
  auto* open = add_one(*bucket, "public-read", "public-read",
                       "Let anybody list a bucket and read its objects, or not\n\n"
                       "Example: cairn bucket public-read downloads on",
                       options, exit_code);
  open->add_option("BUCKET", options->bucket, "The bucket")->required();
  auto* usage =
      bucket->add_subcommand("usage", "Show what buckets hold: objects, versions, delete markers and bytes\n\n"
                                      "Example: cairn bucket usage backups --json");
  auto of_usage = add_common_options(*usage);
  usage->add_option("BUCKET", of_usage->bucket, "The bucket; all of them without it");
  usage->callback([of_usage, &exit_code] { run_command(exit_code, [&] { return show_usage(*of_usage); }); });
  open->add_option("SWITCH", options->value, "on or off")->required()->check(CLI::IsMember({"on", "off"}));
}

} // namespace cairn::cli
