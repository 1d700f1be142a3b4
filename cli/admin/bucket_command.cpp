#include "cli/admin/bucket_command.hpp"

#include "base/json.hpp"
#include "base/units.hpp"
#include "cli/admin/admin_client.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/progress.hpp"
#include "cli/client/text_table.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn::cli {

namespace {

struct bucket_options : admin_address {
  std::string bucket, value, bytes;
  std::optional<std::uint64_t> objects;
  bool clear = false, json = false;
};
using bucket_options_ptr = std::shared_ptr<bucket_options>;

using bucket_action = result<void> (*)(const bucket_options&);

bucket_options_ptr add_bucket_action(CLI::App& parent, const char* name, const std::string& help, bucket_action run,
                                     int& exit_code, CLI::App*& subcommand) {
  auto options = std::make_shared<bucket_options>();
  subcommand = parent.add_subcommand(name, help);
  add_admin_options(*subcommand, *options);
  subcommand->add_flag("--json", options->json, "One JSON value, for scripts");
  subcommand->callback([options, run, &exit_code] { run_command(exit_code, [&] { return run(*options); }); });
  return options;
}

std::string format_of(const bucket_options& options) {
  return options.json ? "json" : "text";
}

result<void> set_public_read(const bucket_options& options) {
  const auto request =
      api_request("public-read", options.bucket, {{"value", options.value}, {"format", format_of(options)}});
  return show_answer(ask_admin(options, request), options.json);
}

// ── usage ──

std::uint64_t amount_of(const json_object& in, std::string_view member) {
  const auto* const value = in.if_contains(member);
  if (value == nullptr) return 0;
  if (const auto* number = value->if_uint64()) return *number;
  const auto* const number = value->if_int64();
  return number != nullptr && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
}

// Of the limit that is nearer to being reached; empty: there is none, or nothing is counted.
std::string share_used(const json_object* usage, const json_object* quota) {
  double most = -1;
  const auto add = [&](std::string_view used, std::string_view limit) {
    const auto max = amount_of(*quota, limit);
    if (max > 0) most = std::max(most, static_cast<double>(amount_of(*usage, used)) / static_cast<double>(max));
  };
  if (usage != nullptr && quota != nullptr) {
    add("bytes", "bytes");
    add("versions", "objects");
  }
  return most < 0 ? "" : std::to_string(static_cast<std::uint64_t>(100 * most)) + "%";
}

table_row row_of(const json_object& bucket) {
  constexpr std::array members{"objects", "versions", "delete_markers", "bytes"};
  constexpr std::array limits{"bytes", "objects"};
  const auto* const usage = bucket.at("usage").if_object();
  const auto* const quota = bucket.at("quota").if_object();
  table_row row{std::string{text_of(bucket.at("name"))}};
  for (const auto* member : members) row.push_back(usage != nullptr ? std::to_string(amount_of(*usage, member)) : "-");
  for (const auto* limit : limits) {
    const auto max = quota != nullptr ? amount_of(*quota, limit) : 0;
    row.push_back(max > 0 ? std::to_string(max) : "none");
  }
  row.push_back(share_used(usage, quota));
  return row;
}

// One line a bucket. The columns of quotas are shown if a bucket has one.
std::string usage_table(const json_array& buckets) {
  constexpr std::size_t columns_without_quotas = 5;
  std::vector<table_row> rows{
      {"BUCKET", "OBJECTS", "VERSIONS", "MARKERS", "BYTES", "BYTES-MAX", "OBJECTS-MAX", "USED"}};
  bool counting = false, limited = false;
  for (const auto& one : buckets) {
    const auto& bucket = one.as_object();
    counting = counting || !bucket.at("usage").is_object();
    limited = limited || bucket.at("quota").is_object();
    rows.push_back(row_of(bucket));
  }
  if (!limited)
    for (auto& row : rows) row.resize(columns_without_quotas);
  auto out = text_table(rows, further_columns::right);
  if (counting) out += "-: written by an older build, and not counted yet\n";
  return out;
}

// The name, what the bucket holds and what it may hold. nullopt: the answer has another form.
std::optional<json_object> shown_part(const json_value& bucket) {
  const auto* const members = bucket.if_object();
  if (members == nullptr || !members->contains("name") || !members->contains("usage")) return std::nullopt;
  const auto* const quota = members->if_contains("quota"); // an older node has none
  return json_object{
      {"name", members->at("name")}, {"usage", members->at("usage")}, {"quota", quota ? *quota : json_value{}}};
}

constexpr std::size_t bucket_answer_depth = 8;

error unclear_answer() {
  return {errc::io_error, "the node's answer is not a list of buckets"};
}

result<json_object> read_bucket(const bucket_options& options) {
  const auto answer = ask_admin(options, api_request_named("bucket", options.bucket, {}));
  if (!answer) return answer.error();
  const auto read = read_json(*answer, answer->size(), bucket_answer_depth);
  auto bucket = read ? shown_part(*read) : std::nullopt;
  if (!bucket) return unclear_answer();
  return std::move(*bucket);
}

// All pages of the list, or the one bucket.
result<json_array> read_usage(const bucket_options& options) {
  json_array all;
  if (!options.bucket.empty()) {
    auto bucket = read_bucket(options);
    if (!bucket) return bucket.error();
    all.push_back(std::move(*bucket));
    return all;
  }
  std::string after;
  do {
    const auto answer = ask_admin(options, api_request_named("buckets", {}, {{"after", after}}));
    if (!answer) return answer.error();
    const auto page = read_json(*answer, answer->size(), bucket_answer_depth);
    const auto* const members = page ? page->if_object() : nullptr;
    const auto* const buckets = members != nullptr ? members->if_contains("buckets") : nullptr;
    if (buckets == nullptr || !buckets->is_array()) return unclear_answer();
    for (const auto& one : buckets->get_array()) {
      auto bucket = shown_part(one);
      if (!bucket) return unclear_answer();
      all.push_back(std::move(*bucket));
    }
    const auto* const next = members->if_contains("next");
    after = next != nullptr ? std::string{text_of(*next)} : std::string{};
  } while (!after.empty());
  return all;
}

result<void> show_usage(const bucket_options& options) {
  const auto buckets = read_usage(options);
  if (!buckets) return buckets.error();
  return show_answer(options.json ? json_text(*buckets) + "\n" : usage_table(*buckets), options.json);
}

// ── quota ──

// "1.0 GiB of 10.0 GiB, 3 of 100 objects (10%)"
std::string quota_line(const json_object& bucket) {
  const std::string name{text_of(bucket.at("name"))};
  const auto* const usage = bucket.at("usage").if_object();
  const auto* const quota = bucket.at("quota").if_object();
  if (quota == nullptr) return name + " has no quota\n";
  const auto bytes_max = amount_of(*quota, "bytes"), objects_max = amount_of(*quota, "objects");
  const auto used = [&](std::string_view member, auto text) {
    return usage != nullptr ? text(amount_of(*usage, member)) + " of " : "at most ";
  };
  std::string out = name + ": ";
  if (bytes_max > 0) out += used("bytes", human_bytes) + human_bytes(bytes_max);
  if (bytes_max > 0 && objects_max > 0) out += ", ";
  const auto decimal = [](std::uint64_t n) { return std::to_string(n); };
  if (objects_max > 0) out += used("versions", decimal) + decimal(objects_max) + " objects";
  const auto share = share_used(usage, quota);
  return out + (share.empty() ? "" : " (" + share + ")") + "\n";
}

result<void> show_quota(const bucket_options& options) {
  const auto bucket = read_bucket(options);
  if (!bucket) return bucket.error();
  return show_answer(options.json ? json_text(*bucket) + "\n" : quota_line(*bucket), options.json);
}

result<void> run_quota(const bucket_options& options) {
  const auto format = format_of(options);
  if (options.clear)
    return show_answer(ask_admin(options, api_request_named("removeQuota", options.bucket, {{"format", format}})),
                       options.json);
  if (options.bytes.empty() && !options.objects) return show_quota(options);
  std::string bytes;
  if (!options.bytes.empty()) {
    const auto size = config::parse_byte_size(options.bytes);
    if (!size) return error{errc::invalid_argument, "--bytes: " + size.error().text};
    bytes = std::to_string(size->bytes);
  }
  const auto request = api_request_named(
      "setQuota", options.bucket,
      {{"bytes", bytes}, {"objects", options.objects ? std::to_string(*options.objects) : ""}, {"format", format}});
  return show_answer(ask_admin(options, request), options.json);
}

} // namespace

void add_bucket_command(CLI::App& app, int& exit_code) {
  auto* bucket = app.add_subcommand("bucket", "Settings of buckets");
  bucket->require_subcommand(1);
  CLI::App* subcommand = nullptr;
  auto options = add_bucket_action(*bucket, "public-read",
                                   "Let anybody list a bucket and read its objects, or not\n\n"
                                   "Example: cairn bucket public-read downloads on",
                                   set_public_read, exit_code, subcommand);
  subcommand->add_option("BUCKET", options->bucket, "The bucket")->required();
  subcommand->add_option("SWITCH", options->value, "on or off")->required()->check(CLI::IsMember({"on", "off"}));
  options =
      add_bucket_action(*bucket, "usage",
                        "Show what buckets hold: objects, versions, delete markers and bytes; and their quotas\n\n"
                        "Example: cairn bucket usage backups --json",
                        show_usage, exit_code, subcommand);
  subcommand->add_option("BUCKET", options->bucket, "The bucket; all of them without it");
  options = add_bucket_action(*bucket, "quota",
                              "Limit what a bucket may hold, or show it\n\n"
                              "Example: cairn bucket quota backups --bytes 10GiB --objects 100000",
                              run_quota, exit_code, subcommand);
  subcommand->add_option("BUCKET", options->bucket, "The bucket")->required();
  auto* bytes =
      subcommand->add_option("--bytes", options->bytes, "At most so many bytes, all versions together; 0: any")
          ->type_name("SIZE");
  auto* objects =
      subcommand->add_option("--objects", options->objects, "At most so many objects, counting each version; 0: any");
  subcommand->add_flag("--clear", options->clear, "Remove both limits")->excludes(bytes)->excludes(objects);
}

} // namespace cairn::cli
