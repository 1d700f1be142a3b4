#include "cli/admin/quota_command.hpp"

#include "base/text_table.hpp"
#include "base/units.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/progress.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace cairn::cli {

namespace {

constexpr std::size_t answer_depth = 8;

struct quota_options : admin_address {
  std::string name, bytes;
  std::optional<std::uint64_t> objects;
  bool clear = false, json = false;
};
using quota_options_ptr = std::shared_ptr<quota_options>;
using quota_action = result<void> (*)(const quota_kind&, const quota_options&);

std::pair<CLI::App*, quota_options_ptr> add_action(CLI::App& to, const char* name, const std::string& help,
                                                   const quota_kind& kind, quota_action run, int& exit_code) {
  auto options = std::make_shared<quota_options>();
  auto* const command = to.add_subcommand(name, help);
  add_admin_options(*command, *options);
  command->add_flag("--json", options->json, "One JSON value, for scripts");
  command->callback([options, &kind, run, &exit_code] { run_command(exit_code, [&] { return run(kind, *options); }); });
  return {command, std::move(options)};
}

error unclear_answer() {
  return {errc::io_error, "the node's answer has another form than expected"};
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

table_row row_of(const quota_kind& kind, const json_object& value) {
  constexpr std::array members{"objects", "versions", "delete_markers", "bytes"};
  constexpr std::array limits{"bytes", "objects"};
  const auto* const usage = value.at("usage").if_object();
  const auto* const quota = value.at("quota").if_object();
  table_row row{std::string{text_of(value.at("name"))}};
  if (kind.has_buckets) row.push_back(usage != nullptr ? std::to_string(amount_of(value, "buckets")) : "-");
  for (const auto* member : members) row.push_back(usage != nullptr ? std::to_string(amount_of(*usage, member)) : "-");
  for (const auto* limit : limits) {
    const auto max = quota != nullptr ? amount_of(*quota, limit) : 0;
    row.push_back(max > 0 ? std::to_string(max) : "none");
  }
  row.push_back(share_used(usage, quota));
  return row;
}

// One line a value. The columns of quotas are shown if one of them has a quota.
std::string usage_table(const quota_kind& kind, const json_array& values) {
  constexpr std::size_t columns_of_quotas = 3;
  table_row head{kind.title};
  if (kind.has_buckets) head.emplace_back("BUCKETS");
  for (const auto* title : {"OBJECTS", "VERSIONS", "MARKERS", "BYTES", "BYTES-MAX", "OBJECTS-MAX", "USED"})
    head.emplace_back(title);
  std::vector<table_row> rows{std::move(head)};
  bool counting = false, limited = false;
  for (const auto& one : values) {
    const auto& value = one.as_object();
    counting = counting || !value.at("usage").is_object();
    limited = limited || value.at("quota").is_object();
    rows.push_back(row_of(kind, value));
  }
  if (!limited)
    for (auto& row : rows) row.resize(row.size() - columns_of_quotas);
  auto out = text_table(rows, further_columns::right);
  if (counting) out += "-: written by an older build, and not counted yet\n";
  return out;
}

// The name, what it holds and what it may hold. nullopt: the answer has another form.
std::optional<json_object> shown_part(const quota_kind& kind, const json_value& value) {
  const auto* const members = value.if_object();
  if (members == nullptr || !members->contains("name") || !members->contains("usage")) return std::nullopt;
  const auto* const quota = members->if_contains("quota"); // an older node has none
  const auto* const id = members->if_contains("id");
  const bool was_deleted = members->at("name").is_null() && id != nullptr;
  json_object shown{{"name", was_deleted ? *id : members->at("name")}};
  if (kind.has_buckets && members->contains("buckets")) shown["buckets"] = members->at("buckets");
  shown["usage"] = members->at("usage");
  shown["quota"] = quota ? *quota : json_value{};
  return shown;
}

result<json_object> read_one(const quota_kind& kind, const quota_options& options) {
  const auto value = read_value(options, kind.one, options.name);
  if (!value) return value.error();
  auto shown = shown_part(kind, *value);
  if (!shown) return unclear_answer();
  return std::move(*shown);
}

// All pages of the list, or the one of the name.
result<json_array> read_usage(const quota_kind& kind, const quota_options& options) {
  json_array all;
  if (!options.name.empty()) {
    auto one = read_one(kind, options);
    if (!one) return one.error();
    all.push_back(std::move(*one));
    return all;
  }
  std::string after;
  do {
    const auto answer = ask_admin(options, api_request_named(kind.list, {}, {{"after", after}}));
    if (!answer) return answer.error();
    const auto page = read_json(*answer, answer->size(), answer_depth);
    const auto* const members = page ? page->if_object() : nullptr;
    const auto* const values = members != nullptr ? members->if_contains(kind.list) : nullptr;
    if (values == nullptr || !values->is_array()) return unclear_answer();
    for (const auto& one : values->get_array()) {
      auto shown = shown_part(kind, one);
      if (!shown) return unclear_answer();
      all.push_back(std::move(*shown));
    }
    const auto* const next = members->if_contains("next");
    after = next != nullptr ? std::string{text_of(*next)} : std::string{};
  } while (!after.empty());
  return all;
}

result<void> show_usage(const quota_kind& kind, const quota_options& options) {
  const auto values = read_usage(kind, options);
  if (!values) return values.error();
  return show_answer(options.json ? json_text(*values) + "\n" : usage_table(kind, *values), options.json);
}

// ── quota ──

// "1.0 GiB of 10.0 GiB, 3 of 100 objects (10%)"
std::string quota_line(const json_object& value) {
  const std::string name{text_of(value.at("name"))};
  const auto* const usage = value.at("usage").if_object();
  const auto* const quota = value.at("quota").if_object();
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

result<void> show_quota(const quota_kind& kind, const quota_options& options) {
  const auto value = read_one(kind, options);
  if (!value) return value.error();
  return show_answer(options.json ? json_text(*value) + "\n" : quota_line(*value), options.json);
}

result<void> run_quota(const quota_kind& kind, const quota_options& options) {
  const std::string format = options.json ? "json" : "text";
  if (options.clear)
    return show_answer(ask_admin(options, api_request_named(kind.remove, options.name, {{"format", format}})),
                       options.json);
  if (options.bytes.empty() && !options.objects) return show_quota(kind, options);
  std::string bytes;
  if (!options.bytes.empty()) {
    const auto size = config::parse_byte_size(options.bytes);
    if (!size) return error{errc::invalid_argument, "--bytes: " + size.error().text};
    bytes = std::to_string(size->bytes);
  }
  const auto request = api_request_named(
      kind.set, options.name,
      {{"bytes", bytes}, {"objects", options.objects ? std::to_string(*options.objects) : ""}, {"format", format}});
  return show_answer(ask_admin(options, request), options.json);
}

} // namespace

result<json_object> read_value(const admin_address& node, const char* row, const std::string& name) {
  const auto answer = ask_admin(node, api_request_named(row, name, {}));
  if (!answer) return answer.error();
  auto read = read_json(*answer, answer->size(), answer_depth);
  if (!read || !read->is_object()) return unclear_answer();
  return std::move(read->get_object());
}

void add_usage_command(CLI::App& to, const quota_kind& kind, const std::string& help, int& exit_code) {
  const auto [command, options] = add_action(to, "usage", help, kind, show_usage, exit_code);
  command->add_option(kind.argument, options->name, std::string{kind.help} + "; all of them without it");
}

void add_quota_command(CLI::App& to, const quota_kind& kind, const std::string& help, int& exit_code) {
  const auto [command, options] = add_action(to, "quota", help, kind, run_quota, exit_code);
  command->add_option(kind.argument, options->name, kind.help)->required();
  auto* const bytes =
      command->add_option("--bytes", options->bytes, "At most so many bytes, all versions together; 0: any")
          ->type_name("SIZE");
  auto* const objects =
      command->add_option("--objects", options->objects, "At most so many objects, counting each version; 0: any");
  command->add_flag("--clear", options->clear, "Remove both limits")->excludes(bytes)->excludes(objects);
}

} // namespace cairn::cli
