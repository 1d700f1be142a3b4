#include "cli/admin/bucket_command.hpp"

#include "cli/admin/admin_client.hpp"
#include "cli/admin/quota_command.hpp"
#include "cli/client/command_support.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace cairn::cli {

namespace {

struct bucket_options : admin_address {
  std::string bucket, value;
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

result<void> show_owner(const bucket_options& options) {
  const auto bucket = read_value(options, "bucket", options.bucket);
  if (!bucket) return bucket.error();
  const auto* const owner = bucket->if_contains("owner"); // an older node knows none
  const auto shown = owner != nullptr ? *owner : json_value{};
  if (options.json) return show_answer(json_text(json_object{{"name", options.bucket}, {"owner", shown}}) + "\n", true);
  return show_answer(options.bucket + " belongs to " + std::string{shown.is_null() ? "nobody" : text_of(shown)} + "\n",
                     false);
}

result<void> run_owner(const bucket_options& options) {
  if (!options.clear && options.value.empty()) return show_owner(options);
  const auto request =
      options.clear
          ? api_request_named("removeOwner", options.bucket, {{"format", format_of(options)}})
          : api_request_named("setOwner", options.bucket, {{"user", options.value}, {"format", format_of(options)}});
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
  add_usage_command(*bucket, bucket_quotas,
                    "Show what buckets hold: objects, versions, delete markers and bytes; and their quotas\n\n"
                    "Example: cairn bucket usage backups --json",
                    exit_code);
  add_quota_command(*bucket, bucket_quotas,
                    "Limit what a bucket may hold, or show it\n\n"
                    "Example: cairn bucket quota backups --bytes 10GiB --objects 100000",
                    exit_code);
  options = add_bucket_action(*bucket, "owner",
                              "Let a bucket count for the quota of a user, or show for whose it does\n\n"
                              "Example: cairn bucket owner backups ann",
                              run_owner, exit_code, subcommand);
  subcommand->add_option("BUCKET", options->bucket, "The bucket")->required();
  auto* const user =
      subcommand->add_option("USER", options->value, "The user, or an access key that belongs to nobody");
  subcommand->add_flag("--none", options->clear, "It counts for nobody's quota")->excludes(user);
}

} // namespace cairn::cli
