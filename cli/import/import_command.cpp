#include "cli/import/import_command.hpp"

#include "cli/import/import_run.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

namespace cairn::cli {

namespace {

struct import_arguments {
  import_options options;
  std::vector<std::string> buckets;
  std::string addressing = "path", iam_url, minio_export, key_file;
  bool users = false, minio_admin = false;
  unsigned pause_s = 10;
};

// "A=B", or "A" for A=A.
result<std::pair<std::string, std::string>> bucket_names(const std::string& text) {
  const auto equals = text.find('=');
  auto from = text.substr(0, equals), to = equals == std::string::npos ? from : text.substr(equals + 1);
  if (from.empty() || to.empty() || (from + to).find('/') != std::string::npos)
    return error{errc::invalid_argument, "--bucket " + text + ": expected BUCKET or SOURCE=TARGET"};
  return std::pair(std::move(from), std::move(to));
}

result<void> import(const import_arguments& arguments, const s3_endpoint& to) {
  auto options = arguments.options;
  options.to = to;
  options.virtual_hosted = arguments.addressing == "virtual";
  options.pause = std::chrono::seconds(arguments.pause_s);
  options.minio_admin = arguments.minio_admin;
  if (arguments.users || arguments.minio_admin || !arguments.minio_export.empty()) {
    auto& identities =
        options.identities.emplace(identity_import_options{options.from, arguments.minio_export, arguments.key_file,
                                                           arguments.minio_admin, options.overwrite, options.dry_run});
    if (!arguments.iam_url.empty()) {
      identities.from.url = arguments.iam_url;
      identities.from.region = "us-east-1"; // IAM has no other
    }
  }
  for (const auto& text : arguments.buckets) {
    auto names = bucket_names(text);
    if (!names) return names.error();
    if (std::ranges::find(options.buckets, names->second, &std::pair<std::string, std::string>::second) !=
        options.buckets.end())
      return error{errc::invalid_argument, "--bucket " + text + ": two buckets would go into " + names->second};
    options.buckets.push_back(std::move(*names));
  }
  return run_import(options);
}

constexpr const char* import_help =
    "Copies buckets with the bytes, metadata, tags and standard headers of their objects. Buckets that keep versions\n"
    "get all versions and delete markers, oldest first; the versions' ids are new ones. Of the settings: versioning,\n"
    "lifecycle, CORS, policy, tags, object lock, access control list, ownership and public access block. With --users\n"
    "also users, groups and their policies. What cannot be carried over is reported by name.\n\n"
    "Nothing in the source is changed. Interrupted (Ctrl-C, or any failure), run it again: it compares both sides and\n"
    "copies what the target lacks; large objects go on with their missing parts. At the end it compares once more and\n"
    "reports what differs; the exit status is 1 when something failed or differs.\n\n"
    "The secret of the source's key is CAIRN_FROM_SECRET_ACCESS_KEY, that of Cairn's AWS_SECRET_ACCESS_KEY.\n\n"
    "Examples:\n"
    "  cairn import s3 --from https://minio.example.com:9000 --from-access-key admin --dry-run\n"
    "                                                      what would be copied, of all buckets\n"
    "  cairn import s3 --from http://10.0.0.7:9000 --from-access-key admin --bucket photos --bucket logs=old-logs\n"
    "                                                      these two, the second under another name\n"
    "  cairn import s3 --from https://minio.example.com:9000 --from-access-key admin --continuous\n"
    "                                                      again and again, until Ctrl-C; for a short cut-over\n"
    "  cairn import s3 --from https://minio.example.com:9000 --from-access-key admin --minio-admin\n"
    "                                                      with MinIO's users and keys, and its quotas in the report\n"
    "  cairn import s3 --from https://minio.example.com:9000 --from-access-key admin --minio-iam iam-export/\n"
    "                                                      with the users and keys that `mc admin cluster iam export`\n"
    "                                                      wrote, unpacked";

void add_source_options(CLI::App& command, import_arguments& arguments) {
  auto& from = arguments.options.from;
  from.url.clear();
  from.secret_variable = "CAIRN_FROM_SECRET_ACCESS_KEY";
  command.add_option("--from", from.url, "The source's address, http:// or https://")->required()->type_name("URL");
  command
      .add_option("--from-access-key", from.access_key,
                  "Sign requests to the source; the secret is CAIRN_FROM_SECRET_ACCESS_KEY")
      ->envname("CAIRN_FROM_ACCESS_KEY_ID");
  command.add_option("--from-region", from.region, "Of these signatures")->capture_default_str();
  command.add_option("--from-ca", from.ca, "PEM file of the authority to trust with the source's https")
      ->type_name("FILE");
  command.add_option("--from-addressing", arguments.addressing, "Buckets in the path, or (virtual) in the host's name")
      ->check(CLI::IsMember({"path", "virtual"}))
      ->capture_default_str();
}

void add_identity_options(CLI::App& command, import_arguments& arguments) {
  auto* minio = command
                    .add_option("--minio-iam", arguments.minio_export,
                                "With the users, groups, policies and keys of MinIO's export, unpacked")
                    ->type_name("FOLDER");
  auto* admin = command
                    .add_flag("--minio-admin", arguments.minio_admin,
                              "With the users, groups, policies and keys of a MinIO server, by its admin API, and its "
                              "buckets' quotas in the report")
                    ->excludes(minio);
  auto* users =
      command.add_flag("--users", arguments.users, "With users, groups and policies, by the source's IAM API")
          ->excludes(minio)
          ->excludes(admin);
  command.add_option("--from-iam", arguments.iam_url, "The address of the source's IAM, where it is another")
      ->needs(users)
      ->type_name("URL");
  command
      .add_option(
          "--make-keys", arguments.key_file,
          "Make an access key for each user whose key's secret the source does not tell, and add it to this file")
      ->needs(users)
      ->type_name("FILE");
}

} // namespace

void add_import_command(CLI::App& app, int& exit_code) {
  auto* group = app.add_subcommand("import", "Migrate from another server");
  group->require_subcommand(1);
  auto* command = group->add_subcommand("s3", "Copy buckets of another S3 server, with versions and settings");
  command->footer(import_help);
  auto arguments = std::make_shared<import_arguments>();
  auto& options = arguments->options;
  add_source_options(*command, *arguments);
  add_identity_options(*command, *arguments);
  auto endpoint = add_endpoint_option(*command);
  command->add_option("-b,--bucket", arguments->buckets, "SOURCE, or SOURCE=TARGET; may be repeated. Else all buckets")
      ->allow_extra_args(false)
      ->type_name("NAME");
  command->add_option("-j,--jobs", options.jobs, "Objects or parts at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  auto* dry_run = command->add_flag("-n,--dry-run", options.dry_run, "Only say what would be copied");
  auto* continuous =
      command->add_flag("--continuous", options.continuous, "Repeat, copying what changed, until Ctrl-C or SIGTERM")
          ->excludes(dry_run);
  command->add_option("--pause", arguments->pause_s, "Seconds between the passes of --continuous")
      ->check(CLI::Range(0, 86400))
      ->needs(continuous)
      ->capture_default_str();
  command->add_flag("--overwrite", options.overwrite,
                    "Where the target has something newer, store the source's state over it");
  command->add_flag("--delete", options.remove,
                    "Delete from the target's buckets the keys that the source has no more; never for an empty source");
  command->add_flag("--no-tags", options.without_tags,
                    "Do not ask for objects' tags: one request less for each object");
  command->add_flag("--acls", options.access_lists,
                    "Ask for objects' access control lists: one request more for each object");
  command->add_flag("--strict", options.strict, "Exit with 1 also when something could not be carried over");
  command->add_flag("--json", options.json, "The report as one JSON object");
  command->add_flag("-v,--verbose", options.verbose, "A line for every key that was copied");
  command->add_flag("-q,--quiet", options.quiet, "No progress, the report only");
  command->callback(
      [arguments, endpoint, &exit_code] { run_command(exit_code, [&] { return import(*arguments, *endpoint); }); });
}

} // namespace cairn::cli
