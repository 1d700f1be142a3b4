#include "cli/admin/key_command.hpp"

#include "base/json.hpp"
#include "cli/admin/admin_client.hpp"
#include "cli/client/command_support.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace cairn::cli {

namespace {

struct key_options : admin_address {
  std::string key, bucket, label;
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
  return api_request(kind, options.key,
                     {{"bucket", options.bucket},
                      {"label", options.label},
                      {"rights", rights},
                      {"create_buckets", options.create_buckets ? "yes" : ""},
                      {"format", options.json ? "json" : "text"}});
}

result<void> command(const std::string& kind, const key_options& options) {
  return show_answer(ask_admin(options, request_of(kind, options)), options.json);
}

// With --json an array, without the page's frame.
result<void> list(const key_options& options) {
  auto answer = ask_admin(options, {"GET", options.json ? "/v1/keys" : "/v1/keys?format=text", {}});
  if (!answer || !options.json) return show_answer(answer, options.json);
  const auto page = read_json(*answer, answer->size(), 8);
  const auto* keys = page && page->is_object() ? page->get_object().if_contains("keys") : nullptr;
  if (keys == nullptr) return error{errc::io_error, "the node's answer is not a list of keys"};
  return show_answer(json_text(*keys) + "\n", true);
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
  add_one(*key, "seal", "seal",
          "Seal the secrets of all access keys with the first key of the node's auth.sealing_key_file: those in clear, "
          "and after a change of that key those sealed with an earlier one",
          options, exit_code);
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

} // namespace cairn::cli
